"""Indonesian and Malay."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        kode verifikasi, kode keamanan, kode otp, kode masuk, kode login, kode aktivasi, kode autentikasi, kode
        otentikasi, kata sandi sekali pakai, kode sekali pakai, kode sementara, kode rahasia, kode pendaftaran,
        kod pengesahan, kod keselamatan, kata laluan sekali guna, kod log masuk, kode validasi, kode registrasi
    """,
    shared="kode konfirmasi, kode akses, kode otorisasi",
    weak="nomor ini, angka berikut, angka ini, kode, kod, sandi",
    own="kode anda, kod anda, kode kamu",
    your="anda, kamu",
    about="""
        perangkat, akunmu, transaksi, pembayaran, verifikasi, konfirmasi, masuk, login, keamanan, autentikasi,
        identitas, pendaftaran, daftar, atur ulang kata sandi, akun, pengesahan, log masuk
    """,
    enter="isi, tulis, masukkan, ketik",
    use="gunakan, salin",
    other="""
        nomor transaksi, id transaksi, pesanan, nomor pesanan, no. pesanan, no pesanan, faktur, tagihan,
        nomor resi, no resi, no. resi, resi, telepon, telp, hubungi, kode pos, nomor, no., pelanggan,
        nomor pelanggan, pemesanan, kode booking, kode pemesanan, penerbangan, kamar, berakhiran,
        empat digit terakhir, jumlah, total, saldo, kontrak, tiket, kode kesalahan, kode error, kode batang,
        kode sumber, npwp, kode referral, kode undangan, kode pengambilan, kode bayar, kode pembayaran,
        virtual account, sejak, jalan, jl., rekening, va, invois
    """,
    offer="""
        kode promo, kode voucher, kode kupon, kode diskon, diskon, promo, voucher, kupon, potongan,
        gratis ongkir, hadiah, cashback, rapat, kod promosi, diskaun
    """,
    stale="kedaluwarsa, kadaluarsa, tidak berlaku, lama, sebelumnya",
    place="pintu, gerbang, pencarian, kasir, loker",
    booking="pemesanan, reservasi, penerbangan, keberangkatan, paket, pengiriman, pengambilan, kuitansi, struk",
    unit="menit, jam, detik, hari, rupiah, poin, orang, kali, persen, minit",
    confirm="""
        konfirmasi, verifikasi, aktifkan, aktivasi, selesaikan pendaftaran, sahkan, ya itu saya, itu saya,
        ya ini saya, aktifkan akun, sahkan akaun
    """,
    sign_in="masuk, login, tautan masuk, log masuk, masuk sekarang, masuk tanpa kata sandi",
    reset="""
        atur ulang, setel ulang, reset kata sandi, kata sandi baru, ubah kata sandi, tetapkan semula,
        buat kata sandi baru, atur kata sandi
    """,
    invite="terima undangan, terima, gabung, bergabung, undangan, lihat undangan",
    never="""
        berhenti berlangganan, privasi, ketentuan, syarat, bantuan, hubungi, peramban, pengaturan, unduh,
        bukan anda, lacak, pesanan, tolak
    """,
)
