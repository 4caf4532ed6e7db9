/* SPDX-License-Identifier: Apache-2.0
 * How IAM names things: unique ids, and ARNs with paths. Users, groups, roles, instance profiles
 * and policies have both. Pure; any thread. */
#pragma once

#include "model/row.h"

/* Writes "AIDA" and 17 digits of the UUID. Empty: the arena is full, or IAM has no such kind. */
struct str iam_id_to_text(struct arena *a, enum kind kind, uuid id);
/* Writes "arn:aws:iam::111122223333:user/division/ann". row NULL: the ARN of all rows of the kind.
 * A policy of no account is AWS's own: "arn:aws:iam::aws:policy/ReadOnlyAccess". */
struct str iam_arn_to_text(struct arena *a, struct str account_number, enum kind kind, const struct row *row);
/* The path of a row of these kinds; "/" if it has none. */
struct str iam_get_path(enum kind kind, const struct row *row);
struct str iam_get_name(enum kind kind, const struct row *row);
/* Whether IAM has ARNs of that kind. */
bool iam_is_kind(enum kind kind);
/* What a name may have in it: letters, digits and +=,.@_- of ASCII. */
bool iam_is_name(struct str name);
/* What a path may be: empty, or from '/' to '/', of visible ASCII. */
bool iam_is_path(struct str path);
