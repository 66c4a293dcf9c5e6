"""Turkish."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        doğrulama kodu*, güvenlik kodu*, giriş kodu*, erişim kodu*, aktivasyon kodu*, tek kullanımlık şifre*,
        tek kullanımlık kod*, tek kullanımlık parola*, kimlik doğrulama kodu*, geçici kod*, geçici şifre*, teyit
        kodu*, doğrulama kodları*, kayıt kodu*, oturum açma kodu*, sms kodu*, şifre sıfırlama kodu*
    """,
    shared="onay kodu*",
    weak="bu numara, aşağıdaki numara, kod, kodu, şifre, parola",
    own="kodunuz*, şifreniz*, kodun, şifren",
    about="""
        cihaz*, işlem*, doğrula*, onayla*, giriş*, oturum aç*, güvenlik*, kimlik*, kayıt, üyelik*,
        şifre sıfırla*, hesab*
    """,
    enter="yazınız, girip, girin, giriniz, yazın",
    use="kullanın, kullanınız, kopyalayın, giriş yapın",
    other="""
        gönderildi, sipariş, siparişiniz, sipariş sipariş numarası, fatura, fatura kargo, takip takip numarası,
        takip kodu, telefon, tel, posta kodu, müşteri müşteri numarası, rezervasyon, rezervasyon kodu, pnr kodu,
        uçuş, oda, son dört hanesi, son 4 hanesi, ile biten, tutar, tutarı, toplam, bakiye, sözleşme, bilet,
        hata kodu, barkod, kaynak kodu, vergi mersis numara, numarası, referans, teslim kodu, teslimat kodu,
        davet kodu, talep, vaka, poliçe, sokak, cad., kat
    """,
    offer="""
        indirim*, kupon*, promosyon*, kampanya*, hediye*, fırsat*, indirim kodu*, promosyon kodu*, kupon kodu*,
        toplantı*
    """,
    stale="süresi dolmuş, süresi doldu, geçersiz, eski, önceki",
    place="kapı*, tuş takımı*, arama*, kasada, dolap*",
    booking="rezervasyon*, konaklama*, seyahat*, uçuş*, kargo*, paket*, teslimat*, fiş, makbuz",
    unit="dakika, dakikadır, dk, saat, saniye, gün, tl, lira, puan, kişi, kez, yüzde, adet",
    confirm="""
        onayla*, doğrula*, etkinleştir*, aktifleştir*, aktive et, kaydı tamamla, evet benim, benim,
        hesabımı etkinleştir, hesabı etkinleştir, kaydını tamamla
    """,
    sign_in="""
        giriş yap*, oturum aç*, giriş bağlantısı, sihirli bağlantı, hesabına gir, tek tıkla gir
    """,
    reset="""
        şifreyi sıfırla, şifremi sıfırla, şifre sıfırla*, şifrenizi sıfırla*, sıfırla*, yeni şifre, şifre belirle,
        parolayı sıfırla, yeni şifre belirle, yeni parola, şifreni yenile, şifrenizi yenileyin, şifremi yenile,
        şifre yenile*, parolamı yenile
    """,
    invite="daveti kabul et, kabul et*, katıl*, davet*, daveti gör, davete bak",
    never="""
        abonelikten çık*, üyelikten çık*, aboneliği iptal, gizlilik, koşullar, yardım, destek, iletişim,
        tarayıcı*, ayarlar, indir, siz değilseniz, takip et, sipariş*, reddet
    """,
)
