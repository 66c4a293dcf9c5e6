"""Finnish."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        vahvistuskoodi*, turvakoodi*, kertakäyttökoodi*, kertakäyttöinen koodi*, kirjautumiskoodi*,
        kertakäyttösalasana*, varmistuskoodi*, todennuskoodi*, tunnistautumiskoodi*, aktivointikoodi*,
        väliaikainen koodi, pääsykoodi*, kertakoodi*
    """,
    weak="koodilla, koodiin, koodi, koodin, koodia, tunnusluku, tämä numero",
    own="koodisi, tunnuslukusi",
    your="sinun",
    about="""
        laite*, laitteen, vahvista*, kirjaudu*, kirjautumi*, turvallisuu*, tunnista*, rekisteröi*,
        salasanan palautus, tili*, todenna*
    """,
    enter="näppäile, syötä, kirjoita, syöttämällä",
    use="anna, käytä, kopioi",
    other="""
        tilaus, tilausnumero, tilauksesi, lasku, laskun numero, viitenumero, seurantakoodi, paketti, lähetys,
        puhelin, puh., postinumero, asiakasnumero, varaus, varausnumero, lento, huone, päättyy,
        viimeiset neljä numeroa, summa, yhteensä, saldo, sopimus, lippu, virhekoodi, viivakoodi, y tunnus,
        numero, noutokoodi, lokerokoodi
    """,
    offer="alennuskoodi*, alennus*, kampanjakoodi*, kuponki*, lahjakort*, tarjous*, säästä, kokous",
    stale="vanhentunut, virheellinen, vanha, edellinen, aiempi",
    place="ovi, oven, portti, portin, haku, hakuun, lokeroon",
    booking="varaus, matka, paketti, noutopiste, lento, kuitti",
    unit="minuuttia, minuutin, minuutti, tuntia, sekuntia, päivää, euroa, pistettä, henkilöä, kertaa, prosenttia",
    confirm="""
        vahvista, aktivoi, varmenna, viimeistele rekisteröinti, ota tili käyttöön, ota käyttöön, kyllä se olen minä,
        se olin minä, rekisteröityminen, viimeistele rekisteröityminen, vahvistus
    """,
    sign_in="kirjaudu, kirjautumislinkki, kirjaudu sisään, kirjaudu palveluun",
    reset="""
        palauta salasana, uusi salasana, vaihda salasana, nollaa salasana, palauta, aseta uusi salasana,
        valitse uusi salasana, luo uusi salasana, salasanan vaihto
    """,
    invite="hyväksy kutsu, hyväksy, liity, kutsu, katso kutsu, avaa kutsu",
    never="""
        peruuta tilaus, lopeta tilaus, tietosuoja, ehdot, ohje, tuki, ota yhteyttä, selaimessa, asetukset,
        lataa, et ollut sinä, seuraa, tilaus, hylkää
    """,
)
