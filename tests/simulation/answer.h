/* SPDX-License-Identifier: Apache-2.0
 * Reads answers of all APIs in one form: elements without attributes, except for the root's namespace.
 * Texts have no entities that matter here. JSON is converted: members become elements, and entries of
 * arrays become items. Results point into the answer. */
#pragma once

#include "base/str.h"

/* Reads the next element and advances *rest past it; false if there is none. */
bool answer_next(struct str *rest, struct str *ret_name, struct str *ret_inner);
/* Content of the root element. */
struct str answer_root(struct str document);
/* The same for a JSON document, in the arena; empty if it is not valid. */
struct str answer_of_json(struct arena *a, struct str document);
/* Content of the first element at the path ("ebs/volumeId"); p is NULL if there is none. */
struct str answer_at(struct str inner, const char *path);
/* Content of the next <item>. */
bool answer_next_item(struct str *rest, struct str *ret_item);
