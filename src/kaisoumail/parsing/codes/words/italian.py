"""Italian."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        codice di verifica, codice di sicurezza, codice di autenticazione, codice di attivazione, codice
        monouso, codice usa e getta, password monouso, codice temporaneo, password temporanea, codici di
        verifica, codice otp, codice di validazione, codice di login, codice per accedere, codice per l'accesso,
        codice di recupero, codice di registrazione, codice dispositivo
    """,
    shared="""
        codice di conferma, codice di autorizzazione, codice di accesso, codice d'accesso, codice autorizzazione
    """,
    weak="questo numero, seguente numero, numero seguente, codice, il nuovo",
    your="tuo, suo, tua",
    about="""
        dispositivo, autorizzare, autorizza, pagamento, registrazione, verifica, verificare, accesso, accedere,
        accedi, conferma, confermare, sicurezza, autenticazione, identità, reimpostare, reimpostazione, account
    """,
    enter="digiti, scrivi, inserisci, inserire, inserisca, digita, immetti, digitare",
    use="usa, utilizza, copia",
    other="""
        inviato a, inviato al, ordine, numero ordine, numero d'ordine, n. ordine, fattura, numero fattura,
        spedizione, numero di tracciamento, tracking, telefono, tel., cap, codice postale, riferimento, rif.,
        pratica, codice cliente, cliente, prenotazione, codice prenotazione, codice di prenotazione, volo,
        camera, che termina con, che termina in, ultime quattro cifre, ultime 4 cifre, importo, totale, saldo,
        contratto, biglietto, codice errore, codice di errore, codice a barre, codice sorgente, codice fiscale,
        partita iva, p. iva, p.iva, numero, n., codice di ritiro, codice ritiro, codice invito, codice amico,
        polizza, segnalazione, treno, carrozza
    """,
    offer="""
        codice sconto, codice promozionale, codice promo, sconto, coupon, buono, offerta, saldi, risparmia,
        regalo, carrello, riunione, promozione
    """,
    stale="scaduto, scaduta, non valido, precedente, vecchio, non è più valido",
    place="porta, cancello, tastiera, ricerca, cassa, armadietto",
    booking="""
        prenotazione, soggiorno, viaggio, imbarco, partenza, pacco, punto di ritiro, ritiro, ricevuta, scontrino,
        pagamento eseguito
    """,
    meeting="id riunione",
    unit="minuti, minuto, ore, ora, secondi, giorni, euro, punti, persone, volte, per cento",
    confirm="""
        conferma, confermare, verifica, attiva, attivare, convalida, completa la registrazione, sì sono io, sono io,
        sono stato io, sono stata io, attiva il tuo account, attiva account, completa iscrizione,
        completa l'iscrizione, confermo
    """,
    sign_in="""
        accedi, accedere, effettua l'accesso, link di accesso, link magico, entra, entra in, accesso diretto
    """,
    reset="""
        reimposta, reimpostare, nuova password, cambia password, crea una nuova password, imposta password,
        scegli una nuova password, scegli la password, imposta una nuova password, cambia la password
    """,
    invite="""
        accetta invito, accetta l'invito, accetta, unisciti, partecipa, invito, vedi invito, vedi l'invito,
        unisciti al gruppo
    """,
    never="""
        annulla l'iscrizione, disiscriviti, cancellati, privacy, termini, condizioni, assistenza, aiuto,
        contatti, contattaci, browser, preferenze, scarica, non sei stato tu, traccia, ordine, rifiuta,
        scopri di più, impostazioni
    """,
)
