"""Romanian."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        cod de verificare, codul de verificare, cod de securitate, codul de securitate, cod de confirmare,
        codul de confirmare, cod de acces, codul de acces, cod de autentificare, codul de autentificare,
        cod de activare, codul de activare, cod unic, codul unic, parolă de unică folosință,
        parola de unică folosință, cod de unică folosință, cod temporar, parolă temporară, cod de conectare,
        codul de conectare, cod de autorizare, cod de validare, parola unică, parolă unică
    """,
    weak="acest număr, cod, codul, parola",
    your="tău, dvs, ta",
    about="""
        dispozitiv*, conecteze, autoriz*, tranzacți*, verificare*, verifica*, autentific*, conectare*, conecta*,
        confirm*, securitate*, identitat*, înregistrare*, resetare*, contul*
    """,
    enter="scrie, introdu, introduceți, tastează",
    use="folosește, folosiți, utilizați, copiază",
    other="""
        comandă, comanda, comenzii, numărul comenzii, factură, factura, facturii, awb, colet, coletul, telefon,
        tel., cod poștal, codul poștal, referință, cod client, codul de client, rezervare, rezervarea,
        zbor, camera, se termină în, terminat în, ultimele patru cifre, sumă, suma, total, sold, contract,
        bilet, cod de eroare, cod de bare, cui, număr, numărul, nr., cod ridicare, codul de ridicare, tichet,
        str.
    """,
    offer="""
        cod promoțional, cod de reducere, codul de reducere, reducere*, voucher*, cupon*, ofert*, promoți*,
        cadou*, coșul, ședință*
    """,
    stale="expirat*, invalid, anterior*, vechi*",
    place="ușă, ușa, poartă, căutare, casă, easybox",
    booking="rezervare, rezervarea, zbor, colet, coletul, easybox, cazare, bon fiscal",
    unit="minute, minut, ore, oră, secunde, zile, lei, ron, puncte, persoane, ori, euro, la sută",
    confirm="""
        confirmă, confirmați, confirmare, verifică, verificați, activează, activați, finalizează înregistrarea,
        da sunt eu, sunt eu, activare cont, activează contul, finalizează contul
    """,
    sign_in="conectează*, conectare, autentificare, intră în cont, intră în, link de conectare",
    reset="""
        resetează*, resetare, parolă nouă, schimbă parola, setează parola, alege o parolă nouă, resetarea parolei,
        setează o parolă nouă
    """,
    invite="acceptă invitația, acceptă, alătură*, invitație, vezi invitația",
    never="""
        dezabon*, confidențialitate, termeni, ajutor, contact, browser, setări, descarcă, nu ai fost tu,
        urmărește, comanda, refuză
    """,
)
