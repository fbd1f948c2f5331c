import json

from x25.bench.load import encode, split_response
from x25.bench.stub import ANSWER, GRADE, JUDGE, Counter, Stub, completion

URL = "http://127.0.0.1:1/v1/chat/completions"


class Wire:
    def __init__(self):
        self.sent = []

    def write(self, data):
        self.sent.append(data)


def connected():
    counter, wire = Counter(), Wire()
    stub = Stub(counter)
    stub.connection_made(wire)
    return stub, wire, counter


def said(response):
    status, body = split_response(response)
    assert status == 200
    return json.loads(body)["choices"][0]["message"]["content"]


def test_every_request_is_answered_however_its_bytes_arrive():
    stub, wire, counter = connected()
    request = encode(URL, {"model": "any", "messages": []})
    for byte in request:
        stub.data_received(bytes([byte]))
    stub.data_received(request + request)
    assert [said(response) for response in wire.sent] == [ANSWER] * 3
    assert counter.count == 3


def test_the_judge_grades():
    stub, wire, _ = connected()
    stub.data_received(encode(URL, {"model": JUDGE}))
    assert said(wire.sent[0]) == GRADE


def test_the_count_is_told_and_counts_no_completion():
    stub, wire, _ = connected()
    stub.data_received(encode(URL, {"model": "any"}) + encode("http://127.0.0.1:1/v1/count"))
    assert split_response(wire.sent[1]) == (200, b'{"count": 1}')


def test_an_answer_says_what_it_took():
    assert json.loads(completion("yes"))["usage"]["total_tokens"] == 64


def test_a_stream_is_asked_for_and_sent_word_by_word():
    stub, wire, _ = connected()
    stub.data_received(encode(URL, {"model": "any", "messages": [], "stream": True}))
    status, body = split_response(wire.sent[0])
    assert status == 200
    assert body.count(b"data: ") > len(ANSWER.split())
    assert b"data: [DONE]" in body
