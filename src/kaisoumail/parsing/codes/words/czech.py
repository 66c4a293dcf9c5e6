"""Czech and Slovak."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        ověřovací kód, ověřovacího kódu, bezpečnostní kód, potvrzovací kód, přístupový kód, přihlašovací kód,
        autentizační kód, autorizační kód, aktivační kód, jednorázový kód, jednorázové heslo, dočasný kód,
        kód pro přihlášení, kód pro ověření, registrační kód, overovací kód, bezpečnostný kód, prihlasovací kód,
        jednorazový kód, jednorazové heslo, prístupový kód, sms kód
    """,
    weak="toto číslo, následující číslo, kód, kódu, kod, heslo",
    your="váš, vás, tvůj, vám",
    about="""
        zařízení, platbu, platby, autorizac*, ověřen*, ověřte, přihlášen*, přihlásit, potvrďte, potvrzení,
        bezpečnost*, totožnost*, registrac*, obnovení hesla, účet, účtu, overenie, prihlásenie
    """,
    enter="vložte, napište, zadejte, opište, zadajte, zadej",
    use="použijte, použite, zkopírujte",
    other="""
        heslo pro výdej, objednávka, objednávky, číslo objednávky, faktura, faktury, zásilka, zásilky, telefon,
        tel., psč, číslo, č., zákazník, zákaznické číslo, smlouva, rezervace, vlak, pokoj, končící,
        poslední čtyři číslice, částka, celkem, zůstatek, jízdenka, chybový kód, čárový kód, ičo, dič, ič,
        kód pro vyzvednutí, výdejní kód, požadavek, tiket, účet č., variabilní symbol, spisová značka
    """,
    offer="slevový kód, slevovy kod, slev*, kupón*, kupon*, dárek, dárkov*, poukaz*, zľav*, schůzk*",
    stale="vypršel*, neplatný, předchozí, starý, původní",
    place="dveří, dveře, klávesnici, vyhledávání, pokladně, boxu",
    booking="rezervace, zásilka, balík, zásilkovna, výdejní místo, pobyt, zásielka, rezervácia",
    unit="minut, minuty, min, hodin, hodiny, sekund, dní, korun, kč, bodů, osob, krát, procent, eur",
    confirm="""
        potvrdit, potvrďte, ověřit, ověřte, aktivovat, dokončit registraci, potvrdiť, overiť, ano jsem to já,
        jsem to já, áno som to ja, som to ja, aktivovat účet, aktivácia, aktivace, dokončit, aktivovať
    """,
    sign_in="""
        přihlásit, přihlášení, přihlásit se, přihlašovací odkaz, prihlásiť, přihlásiť sa, prihlásiť sa, prihlásenie
    """,
    reset="""
        obnovit heslo, resetovat heslo, nové heslo, změnit heslo, nastavit heslo, obnoviť heslo, obnova hesla,
        obnovenie hesla, obnovenie, nastavit nové heslo, nastaviť nové heslo, zvolit nové heslo, zmena hesla,
        změna hesla
    """,
    invite="""
        přijmout pozvánku, přijmout, připojit se, pozvánka, prijať, zobrazit pozvánku, prijať pozvánku,
        zobraziť pozvánku
    """,
    never="""
        odhlásit, zrušit odběr, soukromí, podmínky, nápověda, podpora, kontakt, v prohlížeči, nastavení,
        stáhnout, nejste to vy, sledovat, objednávka, odmítnout
    """,
)
