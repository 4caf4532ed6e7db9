/* SPDX-License-Identifier: Apache-2.0
 * IAM's names: unique ids, and ARNs with paths, of users, groups, roles, instance profiles and policies.
 * Pure; any thread. */
#pragma once

#include "model/identity.h"

/* Writes "AIDA" and 17 digits of the UUID. Empty: the arena is full, or IAM has no such kind. */
struct str iam_id_to_text(struct arena *a, enum kind kind, uuid id);
/* Unique id of a caller: "AIDA…"; for a role session "AROA…:ann", for a federated one "111122223333:guest"; for an
 * account's root user, and without a user, the account number. */
struct str iam_caller_id(struct arena *a, const struct identity *who);
/* Writes "arn:aws:iam::111122223333:user/division/ann". row NULL: the ARN of all rows of the kind. A policy
 * without an account is AWS's own: "arn:aws:iam::aws:policy/ReadOnlyAccess". */
struct str iam_arn_to_text(struct arena *a, struct str account_number, enum kind kind, const struct row *row);
/* The row's path; "/" if it has none. */
struct str iam_get_path(enum kind kind, const struct row *row);
struct str iam_get_name(enum kind kind, const struct row *row);
/* Text after the last '/' of an ARN or a path; all of it without a '/'. */
struct str iam_last_part(struct str arn);
/* True if IAM has ARNs for that kind. */
bool iam_is_kind(enum kind kind);
/* True if a name is valid: ASCII letters, digits and +=,.@_- */
bool iam_is_name(struct str name);
/* True if a path is valid: empty, or visible ASCII starting and ending with '/'. */
bool iam_is_path(struct str path);
