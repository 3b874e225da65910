"""What is too large to be read is refused in words."""

from django.conf import settings


def test_a_form_with_too_many_fields_is_refused_in_both_languages(world):
    fields = {
        f"f{place}": "x" for place in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)
    }
    response = world.client("dev").post("/profile/", fields)
    assert response.status_code == 400
    assert "Nothing was changed" in response.text
    assert "没有任何更改" in response.text
