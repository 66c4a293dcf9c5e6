"""Dutch."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        tan code*, tancode*, betaalcode, verificatiecode*, beveiligingscode*, inlogcode*, aanmeldcode*,
        authenticatiecode*, activeringscode*, activatiecode*, eenmalige code, eenmalig wachtwoord, eenmalige
        toegangscode, tijdelijke code, controlecode, loginkode, registratiecode, herstelcode, tijdelijk
        wachtwoord, sms code, code om in te loggen, code voor eenmalig gebruik
    """,
    shared="bevestigingscode*, toegangscode*, autorisatiecode",
    weak="deze cijfers, dit nummer, volgende nummer, code, codes, de nieuwe",
    your="je, jouw, uw",
    about="""
        apparaat, logt in, betaling bevestigen, autoriseren, verificatie, verifiëren, inloggen, aanmelden,
        bevestigen, bevestig, beveiliging, authenticatie, identiteit, registratie, wachtwoord resetten, account
    """,
    enter="toets, voer, vul, invoeren, invullen, typ, vul in, toets in",
    use="neem, gebruik, kopieer",
    other="""
        gestuurd naar, verzonden naar, bestelling, bestelnummer, ordernummer, factuur, factuurnummer, track,
        zending, pakket, telefoon, tel., postcode, referentie, kenmerk, klantnummer, boeking, boekingsnummer,
        boekingscode, reservering, vlucht, kamer, eindigend op, eindigt op, laatste vier cijfers,
        laatste 4 cijfers, bedrag, totaal, saldo, contract, ticket, foutcode, streepjescode, broncode, kvk, btw,
        sinds, nummer, nr., afhaalcode, dossiernummer, polisnummer, rekening, rekeningnummer, postbus,
        uitnodigingscode, zaak
    """,
    offer="""
        kortingscode*, korting*, actiecode*, couponcode, cadeaubon, cadeaucode, aanbieding, bespaar, cadeau,
        winkelwagen, vergadering, vouchercode
    """,
    stale="verlopen, ongeldig*, oude, vorige, eerdere",
    place="deur, poort, toetsenbord, zoekbalk, kassa, kluisje, pakketautomaat",
    booking="""
        reservering, boeking, verblijf, reis, vertrek, pakket, afhaalpunt, ophalen, pakketpunt, kassabon, kwitantie
    """,
    meeting="vergaderings id",
    unit="minuten, minuut, uur, uren, seconden, dagen, euro, punten, personen, keer, procent",
    confirm="""
        bevestig, bevestigen, verifieer, activeer, activeren, valideren, registratie voltooien, ja dat ben ik,
        dat ben ik, dat was ik, account activeren, activeer je account, aanmelding bevestigen, registratie afronden
    """,
    sign_in="""
        inloggen, log in, aanmelden, meld je aan, inloglink, magische link, direct inloggen, log nu in
    """,
    reset="""
        wachtwoord resetten, resetten, opnieuw instellen, nieuw wachtwoord, wachtwoord wijzigen,
        wachtwoord instellen, nieuw wachtwoord instellen, kies een nieuw wachtwoord, wachtwoord kiezen,
        wachtwoord herstellen
    """,
    invite="""
        uitnodiging accepteren, accepteren, accepteer, deelnemen, uitnodiging, word lid, uitnodiging bekijken,
        neem de uitnodiging aan, uitnodiging aannemen
    """,
    never="""
        afmelden, uitschrijven, privacy, voorwaarden, hulp, contact, browser, voorkeuren, downloaden, niet jij,
        niet door jou, volg, bestelling, weigeren, meer informatie, instellingen
    """,
)
