"""Polish."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        kod weryfikacyjny, kodu weryfikacyjnego, kod bezpieczeństwa, kod potwierdzający, kod logowania, kod do
        logowania, kod uwierzytelniający, kod uwierzytelniania, kod aktywacyjny, kod jednorazowy, jednorazowy
        kod, hasło jednorazowe, jednorazowe hasło, kod autoryzacyjny, kod sms, tymczasowy kod, kod tymczasowy,
        kod rejestracyjny, kody weryfikacyjne, hasło tymczasowe, kod weryfikacji, kod resetowania
    """,
    shared="kod dostępu, kod autoryzacji, kod potwierdzenia",
    weak="ten numer, poniższy numer, te cyfry, kod, kodu, kodem, hasło",
    your="twój, twoj*, państwa",
    about="""
        urządzeni*, autoryzacj*, przelew*, operacji, weryfikacj*, zweryfikuj, logowanie, logowania, zaloguj*,
        potwierdź, potwierdzenie, potwierdzenia, bezpieczeństw*, uwierzytelni*, tożsamoś*, rejestracj*,
        reset hasła, konto, konta
    """,
    enter="przepisać, wpisz, wprowadź, przepisz, wpisać",
    use="użyj, podaj, skopiuj",
    other="""
        wysłany na, wysłaliśmy na, zamówienie, zamówienia, numer zamówienia, nr zamówienia, faktura, faktury,
        faktura nr, numer faktury, przesyłka, przesyłki, numer przesyłki, telefon, tel., infolinia,
        kod pocztowy, numer, nr, klient, numer klienta, umowa, rezerwacja, rezerwacji, numer rezerwacji,
        kod rezerwacji, pociąg, wagon, zgłoszenie, zgłoszenia, kończąca się, ostatnie cztery cyfry,
        ostatnie 4 cyfry, kwota, kwotę, suma, razem, saldo, bilet, kod błędu, błąd, kod kreskowy, kod źródłowy,
        nip, regon, krs, pesel, kod odbioru, kod polecający, kod zaproszenia, wersja, ul., polisa, rachunek,
        konto nr, zlecenie
    """,
    offer="""
        kod rabatowy, kod promocyjny, rabat*, kupon*, promocj*, zniżk*, oszczędź, voucher, prezent*, koszyk*,
        spotkanie, wyprzedaż*
    """,
    stale="wygasł*, nieważny, poprzedni*, stary, stare",
    place="drzwi, drzwiach, bramie, klawiaturze, wyszukiwarce, kasie, paczkomacie, domofonie",
    booking="rezerwacja, pobyt, podróż, paczka, paczkomat, odbiór, paragon, pokwitowanie",
    unit="minut, minuty, minutę, min, godzin, godziny, sekund, dni, złotych, zł, pln, punktów, osób, razy, procent",
    confirm="""
        potwierdź, potwierdzam, zweryfikuj, aktywuj, dokończ rejestrację, potwierdzić, tak to ja, to ja,
        tak to mój adres, mój adres, aktywuj konto, aktywacja, aktywacja konta, potwierdź adres, dokończ
    """,
    sign_in="zaloguj*, link do logowania, zalogować, wejdź, zaloguj bez hasła",
    reset="""
        zresetuj*, resetuj*, nowe hasło, zmień hasło, ustaw hasło, zmiana hasła, nowego hasła, ustawić nowe hasło,
        ustaw nowe hasło, utwórz nowe hasło, odzyskaj hasło
    """,
    invite="""
        zaakceptuj zaproszenie, zaakceptuj, przyjmij zaproszenie, dołącz, zaproszenie, akceptuj, zobacz zaproszenie,
        przyjmij
    """,
    never="""
        wypisz, anuluj subskrypcję, zrezygnuj, prywatnoś*, regulamin, pomoc, kontakt, przeglądarce, ustawienia,
        pobierz, to nie ty, śledź, zamówienie, odrzuć, dowiedz się więcej
    """,
)
