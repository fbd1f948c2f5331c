async def test_calls_go_elsewhere_while_it_drains_and_when_the_store_fails(open_app):
    async with open_app() as client:
        state = client._transport.app.state
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
        assert (await client.head("/readyz")).status_code == 200
        state.is_draining = True
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["error"]["message"]) == (503, "draining")
        state.is_draining = False
        database = state.cascade.services.store._database
        database.write_fault = "disk full"
        assert (await client.get("/readyz")).status_code == 503
        database.write_fault = None
        assert (await client.get("/readyz")).status_code == 200
        await state.cascade.services.store.close()
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["error"]["message"]) == (503, "the store does not answer")
