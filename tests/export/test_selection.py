"""Selection of recordings: what is ticked, each once and not too many."""

import pytest

from callytics.export.selection import SelectionError, chosen
from callytics.identifiers import new_uid


def test_each_is_selected_once_in_the_order_of_the_page() -> None:
    first, second = new_uid(), new_uid()
    assert tuple(chosen([first, second, first]).uids) == (first, second)


@pytest.mark.parametrize("uids", [[], ["no uid", "../x"]])
def test_nothing_selected_is_refused(uids: list[str]) -> None:
    with pytest.raises(SelectionError, match="Nothing is selected"):
        chosen(uids)


def test_a_thousand_can_be_ticked_and_no_more() -> None:
    uids = [new_uid() for _ in range(1001)]
    assert len(chosen(uids[:1000]).uids) == 1000
    with pytest.raises(SelectionError, match="At most 1000"):
        chosen(uids)
