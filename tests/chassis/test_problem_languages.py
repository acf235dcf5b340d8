"""Problems in the reader's language, and in a third one."""

from pathlib import Path

from services.chassis.domain.refusals import Forbidden
from services.chassis.runtime.texts import load
from tests.support import toy
from tests.support.world import World, keyed


def test_a_role_that_is_lacking_is_named_in_the_language_asked_for() -> None:
    texts = load(("services.contracts",))
    lacking = Forbidden(roles=["handler", "dispatcher"])
    assert "经办人、派单员" in texts.sentence(lacking, "zh")
    assert "handler, dispatcher" in texts.sentence(lacking, "en")


async def test_a_third_language_is_spoken_by_one_more_file(world: World, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "mn.toml").write_text(
        """
        [chassis]
        titles.not_found = "Олдсонгүй"
        refusals.not-found = "Ийм зүйл алга."
        refusals.invalid = "Буруу: {problem}"
        fields.missing = "дутуу байна"
        """
    )
    async with world.client(world.app(toy.shop, city_data=tmp_path), toy.KEEPER) as client:
        client.headers["Accept-Language"] = "mn-Cyrl-MN, zh;q=0.5"
        answer = await client.get("/v1/jars/jar_none")
        result = answer.json()
        assert (answer.headers["content-language"], result["title"], result["detail"]) == (
            "mn",
            "Олдсонгүй",
            "Ийм зүйл алга.",
        )
        result = (await client.post("/v1/jars", json={}, headers=keyed())).json()
        assert result["detail"].startswith("Буруу: ")
        assert "дутуу байна" in {error["problem"] for error in result["errors"]}
        assert result["title"] == "The request is not valid", "English stands in"
