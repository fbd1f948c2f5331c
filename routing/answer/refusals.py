"""Whether an answer refuses: told from its opening, and from what was asked for.

Words of refusal that the request asks for (a letter that declines, a translation, a sentence the system message
dictates) are an answer. Text in somebody else's voice counts as a refusal only where it speaks of the request itself.
"""

import re

LONGEST_REFUSAL = 500
"""Characters beyond which an answer says more than no."""
_QUOTED_CHARS = 24
_LEAST_HELP_CHARS = 60

_CANNOT = r"(?:can(?:not|'t| not)|won't|will not|am unable to|'m unable to|am not able to|'m not able to)"
_REFUSED_VERB = (
    r"(?:help (?!but\b)|help\.|assist|comply|fulfil|do that|do this|provide|create|generate|write|engage"
    r"|participate|continue with|support|share|discuss|answer that|process)"
)
_ENGLISH = (
    r"(?:(?:i'm|i am) (?:very |so |really )?(?:sorry|afraid)[,.]? (?:but |that )?)?"
    rf"i ?{_CANNOT} {_REFUSED_VERB}"
    rf"|(?:sorry|unfortunately|apologies|i apologi[sz]e)[,.]? (?:but )?i ?{_CANNOT} {_REFUSED_VERB}"
    rf"|as an ai(?: language)?(?: model| assistant)?,? i ?(?:{_CANNOT}|don't|do not) "
    r"|i must (?:respectfully )?(?:decline|refuse)\b"
)
_OTHER_LANGUAGES = (
    r"(?:(?:es )?tut mir (?:sehr )?leid,? (?:aber )?|leider )?"
    r"(?:ich kann|kann ich|das kann ich|dabei kann ich|ich darf)"
    r" (?:ihnen |dir |euch )?(?:bei |mit |diese|das |dabei |darauf |darüber )?[^.\n]{0,60}"
    r"nicht (?:(?:weiter)?helfen|unterstützen|erstellen|beantworten|erfüllen|nachkommen)"
    r"|(?:je suis (?:vraiment )?)?désolée?,? (?:mais )?je ne "
    r"(?:peux pas (?:vous |t')?(?:aider|répondre|fournir|créer|générer)|suis pas (?:en mesure|autorisée?))"
    r"|je ne peux pas (?:vous |t')?(?:aider|répondre à|fournir|créer|générer|donner suite)"
    r"|lo siento,? (?:pero )?no puedo (?:ayudar|responder|proporcionar|crear|generar|cumplir|asistir)"
    r"|(?:me )?(?:desculpe|sinto muito|lamento),? (?:mas )?(?:eu )?não posso (?:ajud|responder|fornecer|criar|gerar)"
    r"|mi dispiace,? (?:ma )?non posso (?:aiutar|rispondere|fornir|crear|generar|soddisfare)"
    r"|(?:很|非常)?(?:抱歉|对不起)[，,]?(?:但是?)?我?(?:无法|不能)(?:提供|帮助|协助|回答|满足|生成|完成|为您|帮您)"
    r"|(?:申し訳(?:ありません|ございません)|すみません)が、?[^。\n]{0,40}"
    r"(?:お手伝い|お答え|対応|提供|お応え)[^。\n]{0,8}でき(?:ません|かねます)"
    r"|죄송(?:합니다|하지만|합니다만)[,.]? ?[^.\n]{0,40}(?:도와드릴|제공할|답변할|도울|답변드릴) 수 없"
    r"|(?:извините|к сожалению|простите),? (?:но )?я не могу (?:помочь|ответить|предоставить|выполнить|создать)"
    r"|(?:عذرًا|عذرا|آسف|أعتذر|معذرة)[،,]? ?(?:لكن(?:ني)? |ولكن )?لا (?:أستطيع|يمكنني) "
    r"(?:مساعدت|تقديم|المساعدة|الإجابة|تلبية)"
)
_IN_ENGLISH = re.compile(_ENGLISH, re.IGNORECASE)
_IN_ANOTHER_LANGUAGE = re.compile(_OTHER_LANGUAGES, re.IGNORECASE)

_ASKED_FOR = re.compile(
    r"\brefus|\bdeclin|\breject|\bturn(?:s|ed|ing)?\b.{0,60}\bdown\b|\bapolog|\bsorry\b|\bsay(?:ing|s)? no\b"
    r"|\bregret|\bthat (?:\w+ ){0,4}(?:can't|cannot|won't|will not|don't|doesn't)\b|\b(?:can't|cannot|can not|won't"
    r"|unable to|not able to)\b.{0,40}[\"'”»]"
    r"|[\"'“«].{0,40}\b(?:can't|cannot|won't|unable)\b"
    r"|\babsag|\bablehn|\bentschuldig|\btut mir leid|\bdésol|\bexcuse|\blo siento|\bdisculpa|\brechaz|\bdesculp"
    r"|\brecus|\bscus[ae]|\brifiut|отказ|извин|拒绝|婉拒|谢绝|抱歉|道歉|断[りる]|謝[るり罪]|申し訳|거절|사과|اعتذار|رفض",
    re.IGNORECASE,
)
_IS_ABOUT_A_TEXT = re.compile(
    r"\b(?:what does .{1,80} mean|translat|übersetz|tradu|traduz|rewrite|rephrase|reword|paraphrase|proofread"
    r"|grammar|transcri|quot(?:e|ation)"
    r"|extract|summari[sz]|example sentence|indirect speech)|перевед|翻译|翻訳|ترجم|번역",
    re.IGNORECASE,
)
_IN_ANOTHERS_VOICE = re.compile(
    r"\b(?:stor(?:y|ies)|tale|novel|fiction|scene|chapter|dialog(?:ue)?|monolog(?:ue)?|poem|verse|haiku|sonnet|limerick"
    r"|lyrics|song|screenplay|script|skit|diary|memoir|speech|toast|letter|e-?mail|message|tweet|caption|reply"
    r"|respond as|first person|in the (?:voice|style|manner|words) of|role-?play|\bplay an? |act as|pretend|imagine you"
    r"|impersonat|persona\b|character|narrat|gedicht|geschichte|histoire|poème|cuento|poema|racconto|рассказ|стих"
    r"|lines?\b|npc\b|fallback text|bark\b|subtitle|respond to|(?:text|tell|inform) (?:my|him|her|them|an?|the) "
    r"|(?:might|would|could|should) say\b|should .{0,40}\b(?:answer|respond|say)\b|wording|sentence|out-of-office"
    r"|auto-?reply|voicemail|announce|notice\b|memo\b|statement|press release"
    r"|note to|ad copy|villain|hero\b|as if|way (?:to|of) (?:say|tell|put)"
    r"|schreib|formulier|nachricht|brief\b|écris|rédige|lettre|escrib|redact|carta\b|correo|escrev|scriv|lettera)"
    r"|故事|物語|诗|小说|소설|напиши|письмо|写|邮件|回复|書い|メール|返信|써|메일|اكتب|رسالة",
    re.IGNORECASE,
)
_OF_THE_REQUEST = re.compile(
    r"\b(?:this|that|your|such|these) (?:(?:kind|type|sort) of )?(?:request|question|task|content|topic|prompt|story"
    r"|poem|scene|letter|e-?mail|message|script|translation|information|material|instructions?)\b"
    r"|\b(?:provide|create|write|generate|share|produce|with) (?:an? |the |any )?(?:\w+ )?"
    r"(?:summary|translation|lyrics|content|language|jokes|poems|stories)\b"
    r"|\bas an ai\b|\bcomply\b|\b(?:guidelines|polic(?:y|ies)|harmful|illegal|unethical|inappropriate|unsafe)\b",
    re.IGNORECASE,
)
_OF_IT = re.compile(
    r"\b(?:help|assist)(?: you)? with (?:that|this)\b|(?:sorry|afraid)\b[^.]{0,60} (?:that|this)\s*(?:[.!]|$)",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"\bas an ai\b|\b(?:decline|refuse)\b"
    r"|\b(?:help|assist)(?: you)?(?: (?:with|on) [^.]{0,80})?\s*(?:[.,;!]|$)|\bcomply\b|\bfulfil"
    r"|\b(?:that|this|it|these|those)(?: (?:for you|here|either))?\s*(?:[.,;!]|because|as it|$)"
    r"|\b(?:that|this|your|such|any|these|the requested) (?:\w+ ){0,2}\w+\s*(?:[.,;!]|$)"
    r"|\b(?:information|instructions?|advice|content|assistance|guidance|details|recommendations?|opinions?|summary"
    r"|answer to|support for|medical|legal|financial|material|data|malware|about)\b",
    re.IGNORECASE,
)
_WANTS_WORDING = re.compile(
    r"\b(?:write|draft|compose|formulate|word(?:ing)?|help me (?:answer|reply|say|tell)|inform|motto|slogan|sign)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_LACKS_SOURCE = re.compile(
    r"\b(?:based on|from|in|given) (?:the|this|your|what) (?:\w+ )?(?:text|document|context|passage|article|excerpt"
    r"|table|data|information|file|transcript|contract|email|image|report|is given|you (?:gave|provided|shared))"
    r"|(?:(?<!can )\bnot|(?:is|are|was|does|do|did)n't|\bnowhere|\bnever) (?:be )?"
    r"(?:mention|provid|stat|specif|includ|given|contain|say)|\bmore than\b|\bbeyond (?:the|what)\b",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"(?:,|;|\.) ?(?:but|however|though|that said|instead|generally|in general|typically|here (?:is|are)|as of)\b[, ]*",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"^(?:that )?(?:i (?:can|could|would|will)|i'd|i'm|i am|feel free|let me know|if you|would you|please|perhaps"
    r"|you (?:can|could|may|might)|happy to|is there|consider|we can)\b",
    re.IGNORECASE,
)
_NO_FEELINGS = re.compile(
    r"as an ai\b.{0,40}\b(?:don't|do not) (?:have|feel|experience)\b[^.]{0,60}\bbut\b", re.IGNORECASE
)


def is_refusal(text: str, asked: str = "") -> bool:
    """Return whether an answer refuses what was `asked` (texts of the system and the newest user messages).

    Linear in the length of both.
    """
    opening = text.strip().replace("’", "'")
    if len(opening) > LONGEST_REFUSAL:
        return False
    in_english = _IN_ENGLISH.match(opening)
    refused = in_english or _IN_ANOTHER_LANGUAGE.match(opening)
    if refused is None or _is_asked_for(opening, asked.replace("’", "'")):
        return False
    if in_english and not _is_of_the_matter(opening, refused.end(), asked):
        return False
    if _LACKS_SOURCE.search(opening) or _NO_FEELINGS.match(opening):
        return False
    return not _helps_anyway(opening[refused.end() :])


def _is_of_the_matter(opening: str, end: int, request: str) -> bool:
    """Return whether what is refused in English may be the request: a text that was asked for has its own matter."""
    sentence = opening[: end + 120]
    if not _WANTS_WORDING.search(request) or _OF_THE_REQUEST.search(opening) or _GENERIC.search(sentence):
        return True
    return not {*_WORD.findall(request.lower())}.isdisjoint(_WORD.findall(opening[end:].lower()))


def _is_asked_for(opening: str, request: str) -> bool:
    """Return whether the request wants these words, or a text in which somebody else may say them."""
    if _ASKED_FOR.search(request) or opening[:_QUOTED_CHARS].lower() in request.lower():
        return True
    if _OF_THE_REQUEST.search(opening):
        return False
    if _IS_ABOUT_A_TEXT.search(request):
        return True
    return _IN_ANOTHERS_VOICE.search(request) is not None and not _OF_IT.search(opening)


def _helps_anyway(rest: str) -> bool:
    """Return whether more than an offer or a reason follows a refusal: "I cannot give advice, but in general …"."""
    turn = _TURN.search(rest)
    if turn is None:
        return False
    help_ = rest[turn.end() :].strip()
    is_more = len(help_) >= _LEAST_HELP_CHARS and not _OFFER.match(help_)
    return is_more and not _OF_THE_REQUEST.search(help_)
