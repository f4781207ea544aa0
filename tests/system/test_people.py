"""People, favorites and personal contacts as the clients of 2015 use them."""

import pytest
from stack import Stack, until


@pytest.fixture
def stack():
    with Stack() as s:
        yield s.wait_ready()


def names(answer):
    at = answer["column_types"].index("name")
    assert all(len(r["column_values"]) == len(answer["column_headers"]) for r in answer["results"])
    return sorted(r["column_values"][at] for r in answer["results"])


def test_search_and_headers(stack):
    c = stack.client("alice")
    headers = c.ask("people_headers")
    assert headers["class"] == "people_headers_result"
    assert len(headers["column_headers"]) == len(headers["column_types"]) > 1
    found = c.ask("people_search", pattern="bob")
    assert found["class"] == "people_search_result" and found["term"] == "bob"
    assert len(found["results"]) == 1
    bob = found["results"][0]
    assert bob["source"] == "internal" and bob["relations"]["user_id"] == 2
    assert bob["relations"]["endpoint_id"] == 12 and bob["relations"]["xivo_id"] == "xivo"
    assert c.ask("people_search", pattern="no such person")["results"] == []
    headers = c.ask("get_switchboard_directory_headers")
    assert headers["class"] == "directory_headers" and all(len(h) == 2 for h in headers["headers"])
    found = c.ask("switchboard_directory_search", pattern="bob")
    assert found["class"] == "directory_search_result"
    assert found["results"][0]["number"] == "1002" and found["results"][0]["name"]
    c.close()


def test_favorites_and_contacts_outlive_a_restart(stack):
    c, b = stack.client("alice"), stack.client("bob")
    bob = c.ask("people_search", pattern="bob")["results"][0]
    entry = {"source": bob["source"], "source_entry_id": bob["relations"]["source_entry_id"]}
    told = c.ask("people_set_favorite", favorite=True, **entry)
    assert told["class"] == "people_favorite_update" and told["favorite"] is True
    made = c.ask("people_create_personal_contact",
                 contact_infos={"firstname": "Zoé", "lastname": "'; DROP TABLE--", "number": "+33612345678"})
    assert made["class"] == "people_personal_contact_created"
    stack.kill("state")
    stack.start("state")
    until(lambda: "error_string" not in c.ask("people_headers"), "state is back")
    favorites = c.ask("people_favorites")
    assert favorites["class"] == "people_favorites_result"
    assert [r["relations"]["source_entry_id"] for r in favorites["results"]] == [entry["source_entry_id"]]
    mine = c.ask("people_personal_contacts")
    assert mine["class"] == "people_personal_contacts_result" and len(mine["results"]) == 1
    assert b.ask("people_personal_contacts")["results"] == []  # another's are not seen
    assert b.ask("people_favorites")["results"] == []
    assert [r["source"] for r in c.ask("people_search", pattern="zoe")["results"] if r["source"] == "personal"]
    contact = {"source": "personal", "source_entry_id": mine["results"][0]["relations"]["source_entry_id"]}
    raw = c.ask("people_personal_contact_raw", **contact)
    assert raw["class"] == "people_personal_contact_raw_result"
    assert raw["contact_infos"]["lastname"] == "'; DROP TABLE--"
    assert "error_string" in b.ask("people_personal_contact_raw", **contact)
    assert "error_string" in b.ask("people_delete_personal_contact", **contact)
    edited = c.ask("people_edit_personal_contact", contact_infos={"firstname": "Zoë"}, **contact)
    assert edited["class"] == "people_personal_contact_raw_update"
    assert c.ask("people_personal_contact_raw", **contact)["contact_infos"] == {"firstname": "Zoë"}
    assert c.ask("people_delete_personal_contact", **contact)["class"] == "people_personal_contact_deleted"
    assert c.ask("people_personal_contacts")["results"] == []
    c.ask("people_set_favorite", favorite=False, **entry)
    assert c.ask("people_favorites")["results"] == []
    c.close()
    b.close()


def test_csv_there_and_back(stack):
    c = stack.client("alice")
    text = 'firstname,lastname,number\r\nBob,"the ""Builder""",+336\r\nAlice\r\nZoé,"a,b",1\r\n'
    result = c.ask("people_import_personal_contacts_csv", csv_contacts=text)
    assert result["class"] == "people_import_personal_contacts_csv_result"
    assert result["created_count"] == 2 and [f["line"] for f in result["failed"]] == [3]
    exported = c.ask("people_export_personal_contacts_csv")
    assert exported["class"] == "people_export_personal_contacts_csv_result"
    purged = c.ask("people_purge_personal_contacts")
    assert purged["class"] == "people_personal_contacts_purged"
    assert c.ask("people_personal_contacts")["results"] == []
    again = c.ask("people_import_personal_contacts_csv", csv_contacts=exported["csv_contacts"])
    assert again["created_count"] == 2 and again["failed"] == []
    assert c.ask("people_export_personal_contacts_csv")["csv_contacts"] == exported["csv_contacts"]
    c.close()
