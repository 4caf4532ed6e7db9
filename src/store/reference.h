/* SPDX-License-Identifier: Apache-2.0
 * Follows the references of the schema (model/reference.h), as a database follows foreign keys. op_delete()
 * and op_forget() apply `cascade` and `clear` at once.
 *
 * A change that leaves a live row with a `refuse` reference to a row that went fails as a whole, with
 * ERR_IN_USE of the kind that went: an operation either refuses first, in its own words, or changes the rows
 * that refer, before or after. References with `on_forget` are stricter: op_forget() itself refuses, at once
 * and before it has changed anything, while a row that refers is there, even a deleted one. */
#pragma once

#include "model/reference.h"
#include "store/store.h"

/* A row that keeps the row with that id from going (`refuse`), or NULL. Looks only at references with an index.
 * A deleted row keeps another from being forgotten, but not from being deleted. is_forgotten: looks also at
 * references that matter once the row is forgotten. */
const struct row *reference_find_user(const struct tables *t, enum kind kind, uuid id, bool is_forgotten);

/* Calls visit for each field of a live row that names a row that is gone, although the schema's rule is
 * another than `keep`. Walks all rows: for tests and audits. */
typedef void reference_visit(void *arg, const struct row *row, const struct field *field, uuid gone);
void reference_find_dangling(const struct tables *t, reference_visit *visit, void *arg);
