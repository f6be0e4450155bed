"""Streams: NDJSON by default, SSE by Accept header, one listener."""

import json
import time

import pytest

from tests.support.edge import Edge

pytestmark = pytest.mark.e2e

_SSE = {"accept": "text/event-stream"}


async def test_ndjson_is_the_default(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask:stream", json={"question": "events 3"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert [list(event) for event in events] == [["progress"]] * 3 + [["decision"]]
    assert events[2]["progress"]["message"] == "2번째 단계예요"


async def test_sse_by_accept_header(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask:stream", json={"question": "events 2"}, headers=_SSE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream"
    events = [block.removeprefix("data: ") for block in answer.text.strip().split("\n\n")]
    assert [list(json.loads(event)) for event in events] == [["progress"], ["progress"], ["decision"]]


@pytest.mark.parametrize("headers", [{}, _SSE])
async def test_events_arrive_one_by_one(edge: Edge, headers: dict[str, str]) -> None:
    async with (
        edge.client() as client,
        client.stream("POST", "/v1/ask:stream", json={"question": "slowly 6"}, headers=headers) as answer,
    ):
        arrivals = [time.monotonic() async for line in answer.aiter_lines() if line]
    assert len(arrivals) == 7
    assert arrivals[5] - arrivals[0] > 0.15  # five pauses of 0.05 s, had they come together it were none


@pytest.mark.parametrize("headers", [{}, _SSE])
async def test_an_error_before_the_first_event_is_an_ordinary_error(edge: Edge, headers: dict[str, str]) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask:stream", json={"question": "fail NOT_FOUND"}, headers=headers)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["details"][0]["reason"] == "ERROR_REASON_NOT_FOUND"


async def test_known_a_stream_that_breaks_just_ends(edge: Edge) -> None:
    """The status is in trailers that HTTP/1.1 clients never see: services send an error event of their own."""
    async with edge.client() as client:
        answer = await client.post("/v1/ask:stream", json={"question": "break 2"})
    assert answer.status_code == 200
    assert len(answer.text.splitlines()) == 2


async def test_malformed_json_to_a_stream(edge: Edge) -> None:
    async with edge.client() as client:
        answer = await client.post("/v1/ask:stream", content="{", headers=_SSE)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
