async def test_a_process_that_drains_or_lost_its_store_is_alive(open_app):
    async with open_app() as client:
        client._transport.app.state.is_draining = True
        await client._transport.app.state.cascade.services.store.close()
        answer = await client.get("/livez")
        assert (answer.status_code, answer.text) == (200, "ok")
        assert (await client.head("/livez")).status_code == 200
