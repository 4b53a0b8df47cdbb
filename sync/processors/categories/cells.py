"""The columns and the options of files of categories."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import flag, one_of, text
from sync.columns.column import DefaultColumn, Empty, OptionalColumn, RequiredColumn
from sync.columns.general_options import GeneralOptions
from sync.columns.options import Choice

ADD, UPDATE, DELETE = "add", "update", "del"
# In the column parent: not in any category.
TOP = "/"


class CategoriesOptions(GeneralOptions):
    categoryidentifier = Choice(
        default="path",
        choices={"path": _("path of names"), "idnumber": "idnumber", "id": "id"},
        label=_("Category identifier"),
        help=_("What the columns category, parent and contentto hold."),
    )


class CategoryRow(Cells, subject="{category}"):
    """A category that is made, changed or deleted."""

    # fmt: off
    __slots__ = ()

    cmd = DefaultColumn(one_of(ADD, UPDATE, DELETE), default=ADD, sample=ADD,
                        help=_("add: makes the category, or changes the one that is there; update: only changes; del: deletes "
                               "it."))
    category = RequiredColumn(text(), names=True, sample="Sciences/Mathematics",
                              help=_("The category: its path of names, in which \\/ is a slash in a name, its idnumber or its "
                                     "number, as an option says. What holds a new one must be there, or be made by an earlier "
                                     "row."))
    name = OptionalColumn(text(255), stored_in="course_categories", for_new=_("the last name of the path"),
                          aliases=("categoryname",),
                          help=_("What it is called; a new one needs it unless it is named by its path."))
    idnumber = OptionalColumn(text(100), stored_in="course_categories", empty=Empty.CLEARS, decides=True, names=True,
                              aliases=("category_idnumber",), sample="SCI-MATH",
                              for_new=_("the cell category, where that is an idnumber"),
                              help=_("Its new idnumber, unique on the site. One by which the row finds it isn't emptied."))
    parent = OptionalColumn(text(), refers=True, aliases=("parentcategory",), for_new=_("the path's, else none"),
                            help=_("The category that holds it: another one moves it there, with all that is in it; / is the "
                                   "top. It must be there, or be made by an earlier row."))
    visible = OptionalColumn(flag(), decides=True, for_new="1", sample="1",
                             help=_("0 hides it with all that is in it; 1 shows it again, with what was seen before. Within a "
                                    "hidden category 1 counts once that one is shown."))
    description = OptionalColumn(text(), stored_in="course_categories", empty=Empty.CLEARS, for_new=_("empty"),
                                 help=_("What the page of the category says of it; HTML."))
    contentto = OptionalColumn(text(), refers=True, decides=True,
                               help=_("With del: the category that gets the courses and categories in it. Without it only an "
                                      "empty category is deleted. Cohorts always move to the category above."))
