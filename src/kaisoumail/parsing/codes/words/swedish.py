"""Swedish, Norwegian and Danish."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        verifieringskod*, säkerhetskod*, inloggningskod*, engångskod*, engångslösenord, aktiveringskod*,
        autentiseringskod*, tillfällig kod, verifiseringskode*, verifikasjonskode*, sikkerhetskode*,
        innloggingskode*, påloggingskode*, engangskode*, engangspassord, tilgangskode*, verifikationskode*,
        engangsadgangskode, loginkode*, adgangskode, kontrollkod*, godkjenningskode*, aktiveringskode*
    """,
    shared="åtkomstkod*, bekräftelsekod*, bekreftelseskode*, bekræftelseskode*",
    weak="detta nummer, siffrorna, dette nummeret, kod, koden, kode, koder",
    your="din, ditt, dig, deg",
    about="""
        enhet*, verifier*, logga in, inloggning*, bekräfta*, säkerhet*, autentisering*, identitet*, registrering*,
        återställ*, logg inn, innlogging*, bekreft*, sikkerhet*, log ind, bekræft*, konto*, godkjenne, godkjenn,
        godkende, godkend, godkänna, godkänn, bekræft
    """,
    enter="""
        knappa in, tast, skriv in, skriv inn, indtast, skriv, tast inn, indtaste, knappa, skriver du
    """,
    use="ange, använd, bruk, oppgi, brug, angiv, kopiera",
    other="""
        skickats till, skickad till, ordernummer, beställning, beställningsnummer, faktura, fakturanummer,
        försändelse, paket, telefon, tel., postnummer, referens, referensnummer, kundnummer, bokning,
        bokningsnummer, bokningskod, flyg, rum, slutar på, sista fyra siffror, belopp, summa, saldo, avtal,
        biljett, felkod, streckkod, källkod, orgnr, org.nr, organisationsnummer, sedan, nummer, nr, ärende,
        ärendenummer, ordrenummer, bestilling, pakke, kundenummer, bestillingsnummer, ordre, kvittering, cvr,
        ocr, hämtkod, afhentningskode, hentekode, kontonummer, bankgiro
    """,
    offer="""
        rabattkod*, rabatt*, kampanjkod*, kupong*, presentkort, erbjudande, spara, tilbud, rabatkode*, rabat*,
        gavekort, kampanje*, varukorg, möte
    """,
    stale="utgången, utgått, ogiltig*, gamla, gammal, föregående, tidigare, utløpt, udløbet, gammel, forrige",
    place="dörr*, port*, knappsats*, sökruta*, kassan, dør*, søk*, skab*, pakkeboks*",
    booking="""
        bokning, resa, paket, ombud, kvitto, reservation, pakke, pakken, pakkeboks, reise, rejse, kvittering,
        bestilling
    """,
    unit="""
        minuter, minut, minutter, timmar, timer, sekunder, dagar, dager, dage, kronor, kroner, kr, poäng, poeng,
        personer, gånger, procent
    """,
    confirm="""
        bekräfta*, verifiera, aktivera, slutför registrering*, bekreft*, bekræft*, aktiver, fullfør registrering*,
        ja det är jag, det är jag, ja det er meg, det er meg, ja det er mig, det er mig, aktivera konto, aktivér,
        aktiver konto, fullfør registreringen, slutför registreringen
    """,
    sign_in="""
        logga in, inloggningslänk, logg inn, innloggingslenke, log ind, login link, logga in direkt, logg inn nå
    """,
    reset="""
        återställ*, nytt lösenord, byt lösenord, tilbakestill*, nytt passord, nulstil*, ny adgangskode,
        ændr adgangskode, välj nytt lösenord, velg nytt passord, vælg ny adgangskode, sett nytt passord
    """,
    invite="""
        acceptera inbjudan, acceptera, gå med, inbjudan, godta, bli med, invitasjon, accepter, deltag, invitation,
        se inbjudan, visa inbjudan, se invitasjonen, se invitation
    """,
    never="""
        avregistrera, avprenumerera, avsluta prenumeration, integritet*, villkor, hjälp, kontakt*, webbläsare*,
        inställningar, ladda ner, var inte du, inte du, spåra, beställning, avvisa, meld av, personvern, afmeld,
        privatliv
    """,
)
