"""Long texts of a call, kept small in SQLite: deflated against a text that has in it what most of them have.

Alike as they are, a fifth of each is left. Postgres keeps them as they are, and so does an older row of a SQLite file.
"""

import zlib

_PLAN_FACTS = (
    '{"allowances":{"budget_usd_per_day":{"call_usd":null,"left_usd":0.0,"multiplier":1.0}},"audited":false,'
    '"baseline_prob":null,"chance_judge_prob":0.3,"difficulty":0.5,"expected_cost_nusd":27000,"explored":false,'
    '"first_verdict":{"bin":null,"judge_model":null,"outcome":"unseen","score":0.8,"seen_prob":0.0,"source":"estimate"},'
    '"first_verdict":{"bin":2,"judge_model":"sim/judge-1","outcome":"scored","score":0.5,"seen_prob":1.0,"source":"judge"},'
    '"first_verdict":null,"inputs_id":"e19c225392ebcae8","is_judged":true,"is_judged":false,"judge_prob":0.0,'
    '"memory_hit":false,"model_id":"sim/small-2","optimize_for":{"cost":0.32999999999999996,'
    '"latency":0.32999999999999996,"quality":0.33999999999999997},"propensity":1.0,'
    '"reason":"frontier: best expected value 0.7 (draw 0.6); the answer is judged; explored",'
    '"reason":"slm: best expected value 0.7 (draw 0.6)","strategy":"classic","strategy":"plan","theta":0.6,'
    '"tier":"mid","tier":"slm","tier_to_model":{"frontier":"sim/xlarge-6","mid":"sim/medium-4","slm":"sim/small-2"},'
    '"value":0.7,"verification":null}'
)
_RECORD_FACTS = (
    '{"answer":null,"answer":{"model_id":"sim/small-2","sha256":"0123456789abcdef"},"at":"2026-01-01T00:00:00.000000+00:00",'
    '"attempts":[{"attempt_id":"0123456789abcdef-a0-0","cost_source":"computed","disputed_nusd":0,"error":null,'
    '"kind":"answer","model_id":"sim/small-2","spent_nusd":15000,"status":"failed"},{"attempt_id":"-j0-0",'
    '"cost_source":"reported","disputed_nusd":0,"error":null,"kind":"judge","model_id":"sim/judge-1",'
    '"spent_nusd":102450,"status":"finished"}],"call_id":"01a2","cost_nusd":15000,"decision":{"explored":false,'
    '"judge_prob":1.0,"model_id":"sim/small-2","propensity":0.7,"strategy":"plan","tier":"slm"},'
    '"judge_cost_nusd":0,"kind":"call","optimize_for":{"cost":0.32999999999999996,"latency":0.32999999999999996,'
    '"quality":0.33999999999999997},"policy":{},"prompt_sha256":"","router":"auto","status":"answered",'
    '"task":{"cell":"general","source":"hint","type":"qa"},"task":{"cell":"qa","source":"classifier","type":"qa"},'
    '"verdicts":[{"failed_check":null,"model_id":"sim/small-2","score":0.569432,"source":"judge"}]}'
)
_CHOICE_FACTS = (
    '{"allowances":{},"arms":{"sim/large-5":[2,0.0008,0.91,0.92,31,507000,90,1.0],"sim/medium-3":[1,0.1,0.84,0.86,30,'
    '67600,45,1.0],"sim/medium-4":[1,0.0,0.87,0.88,30,101400,60,1.0],"sim/small-2":[0,1.0,0.72,0.81,30,16900,30,1.0],'
    '"sim/tiny-1":[0,0.0,0.57,0.58,30,8450,20,1.0],"sim/xlarge-6":[2,0.0002,0.92,0.93,30,1045000,120,1.0]},"audited":'
    '"strategy":"plan","terms":{"judge":null,"judge":"sim/judge-1","judge_cost":0.05,"latency_price":0.03,'
    '"quality_bar":null,"quality_price":0.1,"reference_cost_nusd":507000,"reference_latency_ms":90},"theta":0.'
)
_FIRST = _PLAN_FACTS + _RECORD_FACTS
_USUAL_RECORD = (
    '{"answer":{"model_id":"sim/large","sha256":"33"},"at":"2026-11-29T09:37:38.758799+00:00","attempts":['
    '{"attempt_id":"8-a0-0","cost_source":"computed","disputed_nusd":0,"error":null,"kind":"answer",'
    '"model_id":"sim/large","spent_nusd":408000,"status":"finished"}],"call_id":"01a226","cost_nusd":408000,'
    '"decision":{"explored":false,"judge_prob":0.0,"model_id":"sim/large","propensity":0.7,"strategy":"plan",'
    '"tier":"frontier"},"judge_cost_nusd":0,"kind":"call","optimize_for":{"cost":0.32999999999999996,'
    '"latency":0.32999999999999996,"quality":0.33999999999999997},"policy":{},"prompt_sha256":"6","router":"auto",'
    '"status":"answered","task":{"cell":"reasoning","source":"classifier","type":"reasoning"},'
    '"verdicts":[{"failed_check":null,"model_id":"sim/large","score":0.8,"source":"estimate"}]}'
)
_USUAL_DECISION = (
    '{"allowances":{},"arms":{"sim/large":[2,0.01,0.91,0.92,2000,7290000,6000,1.0],'
    '"sim/medium":[1,0.98,0.84,0.86,2000,915000,2500,1.0],"sim/small":[0,0.01,0.72,0.81,2000,123000,1500,1.0]},'
    '"audited":false,"baseline_prob":0.7,"chance_judge_prob":0.0,"difficulty":-0.3,"expected_cost_nusd":915000,'
    '"explored":false,"first_verdict":{"bin":null,"judge_model":null,"outcome":"unseen","score":0.8,"seen_prob":0.0,'
    '"source":"estimate"},"inputs_id":"e19c225392ebcae8","is_judged":false,"judge_prob":0.0,"memory_hit":false,'
    '"model_id":"sim/medium","optimize_for":{"cost":0.32999999999999996,"latency":0.32999999999999996,'
    '"quality":0.33999999999999997},"predicted_prob":0.8,"propensity":0.98,"reason":"mid: best expected value 0.7 '
    '(draw 0.8); the answer is not judged","right_prob":0.8,"strategy":"plan","terms":{"judge":null,"judge_cost":0.0,'
    '"latency_price":0.03,"quality_bar":null,"quality_price":0.07,"reference_cost_nusd":7290000,'
    '"reference_latency_ms":6000},"theta":0.8,"tier":"mid","tier_to_model":{"frontier":"sim/large","mid":"sim/medium",'
    '"slm":"sim/small"},"tokens":[40,0,24],"value":0.7,"verification":null}'
)
_SECOND = _CHOICE_FACTS + _FIRST
DICTIONARIES = {
    1: _FIRST.encode(),
    2: _SECOND.encode(),
    # A whole text of each kind as it is written now: what follows one another is found in one piece.
    3: (_SECOND + _USUAL_RECORD + _USUAL_DECISION).encode(),
}
"""By the first byte of a packed text. What is kept was made with them: a new one is added, none is ever changed."""
NEWEST = 3
_RAW = -zlib.MAX_WBITS


def pack(text: str) -> bytes:
    """Return a text as it is kept."""
    deflating = zlib.compressobj(6, zlib.DEFLATED, _RAW, 8, zlib.Z_DEFAULT_STRATEGY, DICTIONARIES[NEWEST])
    return bytes((NEWEST,)) + deflating.compress(text.encode()) + deflating.flush()


def unpack(kept: str | bytes) -> str:
    """Return the text of what is kept, packed or not.

    Raises
    ------
    ValueError
        When it is neither.
    """
    return kept if isinstance(kept, str) else unpack_bytes(kept).decode()


def unpack_bytes(kept: bytes) -> bytes:
    """Return the text of what is kept packed, in UTF-8.

    Raises
    ------
    ValueError
        When it is not.
    """
    dictionary = DICTIONARIES.get(kept[0]) if kept else None
    if dictionary is None:
        raise ValueError("expected a packed text, got bytes of another kind")
    inflating = zlib.decompressobj(_RAW, zdict=dictionary)
    try:
        text = inflating.decompress(kept[1:])
    except zlib.error as error:
        raise ValueError(f"expected a packed text: {error}") from None
    if not inflating.eof or inflating.unused_data:
        raise ValueError("expected a packed text, got one that ends elsewhere")
    return text
