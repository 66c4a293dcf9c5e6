"""Croatian, with Serbian and Bosnian in Latin letters."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        kod za prijavu, kôd za prijavu, kod za potvrdu, kod za verifikaciju, verifikacijski kod, verifikacioni kod,
        sigurnosni kod, jednokratni kod, jednokratna lozinka, jednokratnu lozinku, aktivacijski kod, aktivacioni kod,
        pristupni kod, potvrdni kod, kod za provjeru, kod za proveru, autorizacijski kod, kod za aktivaciju,
        kod za resetiranje, kod za pristup
    """,
    weak="kod, kôd, koda, kodom, ovaj broj, ove brojeve",
    your="tvoj, tvoja, vaš, vaša, vašeg, vam, ti",
    about="""
        prijava, prijavu, prijavi, prijaviti, prijavite, potvrda, potvrditi, potvrdite, potvrdi, verifikacija,
        registracija, registraciju, sigurnost, identitet, račun, nalog, lozinku, uređaj
    """,
    enter="unesi, unesite, upiši, upišite, ukucaj, ukucajte, unijeti",
    use="koristi, koristite, kopiraj",
    other="""
        narudžba, narudžbe, narudžbu, porudžbina, broj narudžbe, račun br, faktura, pošiljka, pošiljke, paket,
        broj paketa, telefon, tel, tel., poštanski broj, oib, pib, referenca, rezervacija, rezervacije, let, soba,
        vlak, voz, korisnički broj, broj ugovora, iznos, ukupno, kartica koja završava, zadnje četiri znamenke, od,
        broj, kod za preuzimanje, pin za preuzimanje
    """,
    offer="popust, popusta, kupon, kod za popust, promo kod, akcija, poklon, sniženje",
    stale="istekao, nevažeći, stari, prethodni",
    booking="rezervacija, rezervaciju, pošiljka, pošiljku, paket, paketomat, let, smještaj, putovanje",
    place="vrata, vratima, tipkovnici, tražilici, blagajni",
    unit="minuta, minute, min, sati, sata, dana, kn, eur, rsd",
    confirm="""
        potvrdi, potvrdite, potvrđujem, potvrda, aktiviraj, aktivirajte, aktivacija, verificiraj, da to sam ja,
        to sam ja, dovrši registraciju
    """,
    sign_in="prijavi se, prijavite se, prijava, link za prijavu, poveznica za prijavu",
    reset="nova lozinka, novu lozinku, resetiraj lozinku, promijeni lozinku, postavi lozinku, zaboravljena lozinka",
    invite="prihvati poziv, prihvati pozivnicu, pozivnica, pridruži se",
    never="""
        odjava, odjavi se s liste, privatnost, uvjeti, uslovi, pomoć, kontakt, postavke, preglednik, preuzmi, prati
    """,
)
