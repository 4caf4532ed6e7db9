/* SPDX-License-Identifier: Apache-2.0
 * Reading our own answers in one form: elements, without attributes but the root's namespace, and with texts
 * that have no entities that matter here. JSON is brought into it: members are elements of their name, what
 * is in a list are items. Texts are borrowed from the answer. */
#pragma once

#include "base/str.h"

/* The next element in *rest, which goes on behind it; false when there is none. */
bool answer_next(struct str *rest, struct str *ret_name, struct str *ret_inner);
/* What is inside the root element. */
struct str answer_root(struct str document);
/* The same of a JSON document, in the arena; empty when it is none. */
struct str answer_of_json(struct arena *a, struct str document);
/* Inside the first element at the path ("ebs/volumeId"); p is NULL when there is none. */
struct str answer_at(struct str inner, const char *path);
/* The next <item>'s inside. */
bool answer_next_item(struct str *rest, struct str *ret_item);
