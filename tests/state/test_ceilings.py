from x25.state.ceilings import NO_CEILINGS, Ceilings, Imposed, ceiling_name, is_imposed


def test_there_are_ceilings_where_one_is_set():
    assert not NO_CEILINGS
    assert all(Ceilings(**{f"{span}_nusd": 1}) for span in ("call", "day", "month"))


def test_a_ceiling_on_one_call_spans_no_others():
    assert not Ceilings(call_nusd=1).spans_calls
    assert Ceilings(day_nusd=1).spans_calls
    assert Ceilings(month_nusd=1).spans_calls


def test_a_sentence_tells_whether_an_imposed_ceiling_removed_somebody():
    assert (
        Imposed("org", NO_CEILINGS).name("month")
        == ceiling_name("org", "month")
        == "org_budget_usd_per_month"
    )
    assert is_imposed("key_budget_usd_per_day: may cost $1")
    assert not is_imposed("budget_usd_per_day: may cost $1")
    assert not is_imposed("max_cost_per_call_usd: estimated $1")
