"""English."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named="""
        verification code*, security code*, verify code, authentication code*, activation code*, validation
        code*, login code*, log in code*, sign in code*, signin code*, signing in code, sign up code*, signup
        code*, one time code*, single use code*, fa code*, two factor code*, step code, two step verification
        code*, two factor authentication code*, multi factor code*, mfa code*, device code*, registration code*,
        recovery code*, reset code*, password reset code*, email code, identity code, secure code, temporary
        code*, temporary login code*, verification passcode*, one time passcode*, temporary passcode*, security
        passcode, login passcode, sign in passcode, single use passcode, otp, otps, otp code*, one time
        password*, one time pin*, one time passkey, temporary password, verification number, verification pin,
        security pin, login pin, account verification code*, account access code, magic code, login verification
        code*, email verification code*, verification token, security token, code to verify, code to log in,
        code to sign in, code to confirm
    """,
    shared="""
        confirmation code*, confirm code*, authorization code*, authorisation code*, access code*, passcode*,
        pass code
    """,
    weak="""
        this number, the number above, the number below, following number, these digits, following digits, code,
        codes, pin, pin code, tan, token, new one, six digits, the digits
    """,
    your="your",
    about="""
        device, access your, health record, patient portal, sign up to, check it is you, authorise, authorize,
        approve the, authorising, authorizing, complete your sign up, registering, verification, verify*, log in*,
        logging in, login, logins, sign in*, signing in, signin, sign up, signing up, confirm, confirming, security,
        one time, authentication, authenticate*, two factor, two step verification, identity, password reset,
        reset your password, your account, new device, link it to, link your, to link, link this
    """,
    enter="""
        enter, type, input, enter the, enter this, key in, key this in, key it in, punch in, type in, fill them
    """,
    use="use, submit, provide, copy, paste, use this, insert",
    other="""
        sent to, texted to, emailed to, sent by sms to, delivered to, campaign code, keypad code, entry code,
        entry number, pledge, incident, called, calling, episode, chapter, extension, ext, ext., badge, requisition,
        helpline, hotline, support line, order, orders, invoice, ref, reference, ticket*, tracking, case, build*,
        issue, room, flight, booking, reservation, account number, account no, account ending, account, customer,
        customer id, customer number, member id, membership, article, item, job, version, model, serial,
        serial number, phone, tel, telephone, mobile, fax, call, call us, dial, zip, postal, area, po box, p.o. box,
        section, page, since, copyright, transaction, payment, receipt, policy, license, contract, order number,
        order no, invoice number, invoice no, tracking number, ticket number, case number, confirmation number,
        reference number, transaction id, request id, user id, id, pull request, pr, commit, revision, hash, sha,
        pipeline, release, ref no, amount, total, balance, quantity, qty, sku, vat, tax, iban, swift, suite, street,
        unit, apartment, floor, zip code*, postal code*, postcode*, post code*, area code*, country code*,
        error code*, error, status code*, exit code*, reason code*, tracking code*, order code*, booking code*,
        reservation code*, product code*, item code*, swift code*, sort code*, bank code*, qr code*, bar code*,
        barcode*, source code*, dress code*, code review*, code scanning, code of conduct, code coverage,
        code quality, code owners, code base, codebase, booking confirmation code, order confirmation code,
        pickup code, pick up code, collection code, locker code, delivery code, delivery pin, gate code, door code,
        room code, wifi code, wi fi code, wifi password, meeting id, webinar id, conference id, participant code,
        host code, game code, class code, course code, cost code, tax code, merchant code, referral code*,
        referral id, invite code*, invitation code*, ending in, ending with, ends in, ending, last four digits,
        last 4 digits, last four, campaign, survey, edition, no., number, nr., vol, volume, route, bus, train, gate,
        seat, pnr, locator, record locator, backup code*, recovery key, license key, product key, activation key,
        serial key, atm pin, card pin, cvv, cvc, cvv code, postal address, street address, height, weight, score,
        points, steps, followers, views, visitors, meeting passcode, meeting password, meeting code,
        webinar passcode, conference passcode
    """,
    offer="""
        delivery driver, courier, driver, claim, prize*, winner*, lottery, giveaway, save, off, discount*,
        coupon*, promo, promos, promotion*, promo code*, promotional code*, promocode*, voucher*, gift,
        gift code*, gift card*, checkout, sale, deal, deals, free shipping, discount code*, coupon code*,
        voucher code*, offer code*, offer, redeem*, cashback, meeting, webinar, zoom meeting, join the call,
        dial in, conference call, next order, your next
    """,
    stale="expired, invalid, no longer, old, previous, earlier, incorrect, wrong, last code, used code, former",
    place="""
        keypad, gate, door, lockbox, lock box, key safe, barrier, locker, search*, sat nav, navigation, calculator,
        checkout
    """,
    booking="""
        your stay, your trip, itinerary, boarding, check in, checking in, passenger*, traveler*, traveller*,
        your booking, your reservation, e ticket, eticket, departure, parcel, your package, pickup point,
        pick up point, collection point, locker, parking, permit, receipt, card payment
    """,
    meeting="""
        meeting id, webinar id, conference id, join zoom meeting, join the meeting, dial in, dial by,
        one tap mobile, conference call, teams meeting, google meet, webinar
    """,
    unit="""
        minutes, minute, mins, min, hours, hour, hrs, seconds, ms, days, day, times, people, users, points,
        miles, items, dollars, euros, pounds, credits, characters, words, views, followers, kb, mb, gb, tb, pm,
        px, kg, km, percent, usd, eur, gbp, rmb, cny, jpy, inr, cad, aud, chf, hkd, twd, krw, vnd, idr, thb,
        try, rub, pln, sek, nok, dkk, brl, mxn, sgd, myr, php, lines, files, commits, tests, passed, failed,
        errors, downloads, steps, calories, results, customers, employees, members, countries, stores, jobs
    """,
    confirm="""
        confirm*, verify*, verification, activate*, activation, validate*, complete registration, complete sign up,
        complete your registration, finish signing up, finish setting up, complete setup, yes subscribe, opt in,
        approve, yes it's me, yes that's me, it's me, it was me, that's my, set up your account, set up my account,
        set up account, set up your profile, yes subscribe me, subscribe me, finish your registration,
        finish registration, complete your account, complete my registration, verify me
    """,
    sign_in="""
        sign in*, signin, log in*, login, magic link, sign me in, log me in, sign-in link, continue to, log in link,
        login link, open the app, let me in, take me in, open your account, one click sign in, passwordless
    """,
    reset="""
        reset*, change password, change your password, choose a new password, new password, set a new password,
        set password, create a new password, set your password, create password, recover*, pick a new password,
        create your password, choose password, set your new password, make a new password
    """,
    invite="""
        accept invitation, accept invite, accept the invitation, accept your invitation, accept, join, invitation,
        invited, invite, view invitation, join the team, join team, join workspace, claim your seat, accept and join
    """,
    never="""
        unsubscribe*, privacy, terms, preferences, manage, help, support, contact, view in browser, view online,
        browser, faq, blog, shop, download, app store, google play, facebook, twitter, instagram, linkedin, youtube,
        learn more, read more, not me, wasn't me, was not me, didn't, did not, report, decline, cancel, track,
        order, survey, feedback, settings, opt out, secure your account, deny, join the meeting, join meeting,
        join zoom meeting, join the call
    """,
)
