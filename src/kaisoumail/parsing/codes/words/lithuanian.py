"""Lithuanian."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        patvirtinimo kodas, patvirtinimo kodą, prisijungimo kodas, prisijungimo kodą, saugos kodas, saugumo kodas,
        vienkartinis kodas, vienkartinį kodą, vienkartinis slaptažodis, aktyvavimo kodas,
        tapatybės patvirtinimo kodas, prieigos kodas, sms kodas
    """,
    weak="kodas, kodą, kodo, šį numerį",
    your="jūsų, tavo",
    about="""
        prisijungti, prisijungimas, prisijungimą, prisijungimo, patvirtinti, patvirtinkite, patvirtinimas,
        registracija, registraciją, saugumas, tapatybė, paskyra, paskyrą, slaptažodį
    """,
    enter="įveskite, įvesk, suveskite",
    use="naudokite, nukopijuokite",
    other="""
        užsakymas, užsakymo, užsakymo numeris, sąskaita, sąskaitos, siunta, siuntos, siuntos numeris, telefonas,
        tel, tel., pašto kodas, rezervacija, rezervacijos, skrydis, kambarys, suma, iš viso, sutartis,
        kliento numeris, numeris, atsiėmimo kodas, paskutiniai keturi skaitmenys
    """,
    offer="nuolaida, nuolaidos kodas, kuponas, akcija, dovana",
    stale="nebegalioja, negaliojantis, senas, ankstesnis",
    booking="rezervacija, siunta, paštomatas, paštomatą, skrydis, kelionė, apgyvendinimas",
    place="durų, klaviatūra, paieškoje, kasoje",
    unit="minutes, minučių, min, valandas, valandų, dienas, dienų, eur",
    confirm="""
        patvirtinti, patvirtinkite, patvirtinu, aktyvuoti, aktyvuokite, taip tai aš, tai aš, baigti registraciją
    """,
    sign_in="prisijungti, prisijunkite, prisijungimo nuoroda",
    reset="naujas slaptažodis, naują slaptažodį, atkurti slaptažodį, pakeisti slaptažodį, nustatyti slaptažodį",
    invite="priimti kvietimą, priimti pakvietimą, kvietimas, prisijungti prie komandos",
    never="""
        atsisakyti, prenumeratos, privatumas, sąlygos, pagalba, kontaktai, nustatymai, naršyklėje, atsisiųsti, sekti
    """,
)
