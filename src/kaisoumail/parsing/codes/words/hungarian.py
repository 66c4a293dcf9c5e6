"""Hungarian."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        ellenőrző kód*, ellenőrzőkód*, megerősítő kód*, megerősítőkód*, biztonsági kód*, belépési kód*,
        bejelentkezési kód*, egyszer használatos kód*, egyszer használatos jelszó*, egyszeri kód*,
        egyszeri jelszó*, hitelesítő kód*, aktiváló kód*, aktivációs kód*, hozzáférési kód*, ideiglenes kód*,
        azonosító kód*, visszaigazoló kód*, hitelesítési kód*
    """,
    weak="ezt a számot, alábbi szám*, szükséges kód, kód, kódot, kódját",
    own="kódja, kódod",
    your="ön, önnek",
    about="""
        eszköz*, belépni, jóváhagy*, fizetés*, ellenőrz*, megerősít*, bejelentkez*, belépés*, biztonság*,
        azonosít*, regisztráci*, jelszó visszaállítás*, fiók*, hitelesít*
    """,
    enter="gépelje be, írja be, írd be",
    use="adja meg, add meg, használja, használd, másolja",
    other="""
        rendelés, rendelésszám, rendelési szám, számla, számlaszám, csomagszám, csomag, telefon, tel., irányítószám,
        hivatkozási szám, ügyfélszám, ügyfél, foglalás, foglalási kód, járat, szoba, végződő, utolsó négy számjegy,
        összeg, végösszeg, egyenleg, szerződés, jegy, hibakód, vonalkód, adószám, cégjegyzékszám, azonosító, szám,
        ügyszám, átvételi kód, utca, bejelentés, átvételi kódja
    """,
    offer="kuponkód*, kupon*, kedvezmény*, akció*, promóciós kód*, ajándék*, utalvány*, kosár*, megbeszélés*",
    stale="lejárt*, érvénytelen, korábbi, régi, előző",
    place="ajtó*, kapu*, kereső*, automata*, pénztár*",
    booking="csomag*, automata, foglalás*, szállás*, utazás*, járat*",
    unit="perc, percig, óra, óráig, másodperc, nap, napig, forint, ft, huf, pont, fő, alkalommal, százalék",
    confirm="""
        megerősít*, ellenőriz*, aktivál*, regisztráció befejezése, hitelesít*, igen én vagyok, én voltam,
        fiók aktiválása, regisztráció megerősítése
    """,
    sign_in="bejelentkezés*, belépés*, belépek",
    reset="""
        visszaállítás*, jelszó módosítása, új jelszó, jelszó visszaállítása, új jelszó beállítása, jelszó beállítása
    """,
    invite="meghívó elfogadása, elfogad*, csatlakoz*, meghívó, meghívó megtekintése",
    never="""
        leiratkoz*, adatvédel*, feltételek, segítség, kapcsolat, böngésző*, beállítások, letölt*, nem ön,
        nem te, követés, rendelés, elutasít*
    """,
)
