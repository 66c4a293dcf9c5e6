"""French."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        code de vérification, code de sécurité, code de connexion, code d'authentification, code d'activation,
        code de validation, code à usage unique, mot de passe à usage unique, code temporaire, code unique, code
        d'identification, code d'inscription, code de réinitialisation, codes de vérification, code provisoire,
        numéro de vérification, mot de passe temporaire
    """,
    shared="code de confirmation, code d'autorisation, code d'accès, code secret",
    weak="ce numéro, le numéro suivant, ces chiffres, nombre suivant, code, le nouveau",
    your="votre, ton, vous",
    about="""
        appareil, autoriser, valider, paiement, finalisez, vérification, vérifier, connexion, connecter, confirmer,
        confirmation, sécurité, authentification, identité, inscription, réinitialiser, réinitialisation,
        double authentification, compte, depuis un nouvel, depuis un appareil, depuis un nouveau
    """,
    enter="tape, recopiez, saisissez, saisir, entrez, entrer, renseignez, tapez, saisis, recopier",
    use="utilisez, indiquez, copiez",
    other="""
        envoyé au, envoyé à, envoyée au, commande, numéro de commande, n° de commande, facture, numéro de facture,
        numéro de suivi, suivi, colis, téléphone, tél, tél., code postal, référence, réf, numéro client, dossier,
        numéro de dossier, réservation, code de réservation, vol, chambre, compte se terminant par,
        se terminant par, terminant par, siret, siren, rcs, tva, montant, total, solde, contrat, billet,
        code erreur, code d'erreur, code barres, code source, depuis, n°, numéro, code de retrait, code retrait,
        code parrainage, code de parrainage, code d'invitation, train, voiture, rue, cs, bp, cedex, adhérent, iban,
        capital, n° client, réf client, client n°, id client, code client, code abonné, code adhérent
    """,
    offer="""
        code promo, code promotionnel, code de réduction, code réduction, code avantage, remise, réduction,
        bon de réduction, promo, profitez, soldes, offre, cadeau, panier, livraison offerte, réunion,
        chèque cadeau, carte cadeau
    """,
    stale="a expiré, est expiré, périmé, invalide, ancien*, précédent*, plus valable, plus valide",
    place="digicode, portail, porte, clavier, recherche, caisse, consigne",
    booking="réservation, séjour, voyage, embarquement, départ, colis, point relais, relais, reçu",
    meeting="id de réunion, numéro de réunion, id de la réunion",
    unit="minutes, heures, heure, secondes, jours, euros, points, personnes, fois, pour cent",
    confirm="""
        confirmer, confirmez, je confirme, vérifier, vérifiez, activer, activez, valider, validez, finaliser,
        oui c'est bien moi, oui c'est moi, c'est bien moi, c'est moi, créer mon compte, activer mon compte,
        finaliser mon inscription, terminer l'inscription, confirmation
    """,
    sign_in="""
        se connecter, connectez vous, me connecter, connexion, lien de connexion, lien magique, lien pour entrer,
        entrer dans, entrer, ouvrir mon compte
    """,
    reset="""
        réinitialiser, réinitialisez, nouveau mot de passe, changer le mot de passe, changer mon mot de passe,
        définir un mot de passe, réinitialisation, choisir un mot de passe, modifier le mot de passe
    """,
    invite="""
        accepter l'invitation, accepter, rejoindre, invitation, rejoignez, voir l'invitation, accepter et rejoindre
    """,
    never="""
        désabonner, désinscrire, désinscription, se désabonner, confidentialité, conditions, aide, contact,
        contactez, navigateur, préférences, télécharger, mentions légales, pas à l'origine, suivre, commande,
        paramètres, refuser, en savoir plus
    """,
)
