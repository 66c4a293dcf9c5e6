"""German."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        ihre tan, deine tan, tan lautet, bestätigungscode*, verifizierungscode*, sicherheitscode*, anmeldecode*,
        logincode*, login code*, zugangscode*, einmalcode*, einmalpasswort, einmalkennwort, einmal code, einmal
        passwort, aktivierungscode*, freischaltcode*, authentifizierungscode*, prüfcode, zugriffscode,
        registrierungscode, anmelde code, sicherheits code, bestätigungs code, verifikationscode*,
        verifizierungs code, einmal pin, freigabecode, mobile tan, transaktionsnummer, wiederherstellungscode,
        code zur anmeldung, code zur bestätigung, code zur verifizierung
    """,
    shared="bestätigungsnummer",
    weak="""
        diesen code, diese nummer, dieser nummer, folgende nummer, diese zahl, folgende zahl, ziffern, code, kode,
        kennung, der neue
    """,
    your="dein, deine, ihr, ihre, deinen, ihren",
    about="""
        gerät*, geräts, freigabe, freigeben, autorisieren, überweisung, registrierung abzuschließen, anmelden,
        anmeldung, einloggen, bestätigen, bestätigung, verifizieren, verifizierung, registrierung, registrieren,
        sicherheit, identität, passwort zurücksetzen, zwei faktor*, konto
    """,
    enter="""
        eintippen, tippe, geben sie, gib, eingeben, einzugeben, tragen sie, trage, einzutragen, eintragen
    """,
    use="verwenden sie, nutzen sie, nutze, verwende, benutze",
    other="""
        gesendet an, geschickt an, gesandt an, bestellung, bestellnummer, bestellnr, rechnung, rechnungsnummer,
        rechnungsnr, sendungsnummer, paketnummer, auftragsnummer, auftrag, kundennummer, kunden nr, kundennr,
        telefon, tel., hotline, plz, postleitzahl, vorgangsnummer, ticketnummer, vertragsnummer, buchungsnummer,
        buchungscode, kontonummer, endziffern, letzten vier ziffern, letzten 4 ziffern, endet auf, mitgliedsnummer,
        artikelnummer, artikel nr, handelsregister, hrb, ust idnr, steuernummer, betrag, gesamtbetrag, summe, flug,
        zimmer, fehlercode, fehler, abholcode, abhol pin, referenz, referenznummer, aktenzeichen, seit, straße,
        nummer, barcode, quellcode, bankleitzahl, blz, zug, wagen, amtsgericht, einladungscode,
        bestätigungsnummer buchung
    """,
    offer="""
        rabatt*, gutschein*, gutscheincode*, rabattcode*, aktionscode*, sparen, spare, einlösen, warenkorb,
        angebot, meeting, besprechung, geschenk*
    """,
    stale="abgelaufen*, ungültig*, alter, alte, alten, vorherige*, früher*, bisherige*",
    place="tastenfeld, tor, tür*, haustür*, schranke, schließfach, packstation, suche, suchfeld, kasse, navi",
    booking="""
        buchung, reservierung, aufenthalt, reise, boarding, reiseplan, abflug, paket, sendung, packstation, abholung,
        paketshop, quittung, kartenzahlung, beleg, parkschein
    """,
    meeting="meeting id, besprechungs id, konferenz id, einwahl",
    unit="minuten, minute, stunden, stunde, sekunden, tage, tagen, euro, uhr, prozent, punkte, personen, stück, mal",
    confirm="""
        bestätigen, bestätige, aktivieren, verifizieren, freischalten, registrierung abschließen,
        anmeldung abschließen, aktivierung, freizuschalten, konto bestätigen, ja das bin ich, das bin ich,
        das war ich, ja ich war das, konto einrichten, konto aktivieren, ja das ist meine adresse, meine adresse,
        registrierung fertig, anmeldung bestätigen, jetzt bestätigen
    """,
    sign_in="""
        anmelden, einloggen, anmeldelink, jetzt anmelden, anmelde link, ohne passwort anmelden, zugang öffnen,
        zum konto
    """,
    reset="""
        zurücksetzen, neues passwort, passwort ändern, passwort festlegen, passwort vergeben, passwort neu setzen,
        neues kennwort, kennwort ändern, passwort wählen, passwort zurücksetzen
    """,
    invite="""
        einladung annehmen, annehmen, beitreten, einladung, teilnehmen, einladung ansehen, jetzt beitreten
    """,
    never="""
        abmelden, abbestellen, datenschutz, impressum, agb, hilfe, kontakt, im browser, einstellungen,
        herunterladen, nicht angefordert, nicht ich, nicht sie, ablehnen, sendung verfolgen, bestellung,
        mehr erfahren
    """,
)
