"""English."""

from typing import Final

from kaisoumail.parsing.codes.words.table import Words

WORDS: Final = Words(
    named=(
        r"\b(?:verification|security|confirmation|authentication|authorization|activation|validation|access|"
        r"log[ -]?in|sign(?:ing)?[ -]?in|sign[ -]?up|one[ -]?time|single[ -]use|2fa|two[ -]factor|confirm|verify|"
        r"authenticate|device|registration|recovery|reset) (?:pass)?codes?\b(?! (?:review|scan|audit|analysis))",
        r"\bpasscodes?\b",
        r"\botps?\b",
        r"\bone[ -]?time (?:password|pin|passcode)s?\b",
        r"\b(?:verification|security|confirmation) (?:number|pin)\b",
    ),
    weak=(r"\bcode\b", r"\bpin\b", r"\btan\b"),
    about=(
        r"\b(?:verification|verify|verifying|otp|passcode|log[ -]?in|logging in|sign(?:ing)?[ -]?in|sign[ -]?up|"
        r"confirm|confirmation|security|one[ -]?time|authentication|authenticate|two[ -]factor|2fa|identity)\b",
    ),
    is_=(r"is", r"are", r"below", r"here"),
    use=(r"\b(?:enter|use|type|input|insert|submit|provide)\b",),
    other=(
        r"\b(?:order|invoice|ref|reference|ticket|tracking|case|build|issue|room|flight|booking|reservation|account|"
        r"customer|member(?:ship)?|article|item|job|version|model|serial|phone|tel|call|zip|postal|area|po box|"
        r"section|chapter|page|since|copyright|transaction|payment|receipt)\b(?: (?:no\.?|number|id|code|ending in))?",
        r"\b(?:zip|postal|post|area|country|error|status|exit|reason|tracking|order|booking|reservation|product|item|"
        r"promo|discount|coupon|gift|voucher|referral|invite|invitation|swift|sort|bank|qr|bar|source|dress) codes?"
        r"(?: (?:is|was|are))?",
        r"\bending(?: (?:in|with))?",
        r"\blast (?:four|4) digits(?: (?:is|are))?",
        r"#",
    ),
    offer=(r"\b(?:save|off|discount|coupon|promo(?:tion)?|voucher|gift|checkout|sale|deal|free shipping)\b", r"%"),
    stale=(r"\b(?:expired|invalid|no longer|old|previous|incorrect|wrong)\b",),
)
