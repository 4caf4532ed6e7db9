/* SPDX-License-Identifier: Apache-2.0
 * Compares what the guards asked about in the golden cases with what permissions.def says. A permission that names a kind is
 * decided on rows of that kind: a policy that says nothing of such a row has to keep the caller from it. Where an operation
 * asks about no row of the kind, the policy is passed over. */
#pragma once

/* From now on worlds of this process and of its children report their questions. */
void asked_begin(void);
/* Counts as a failure each (permission, kind) of permissions.def that nobody asked about and that `path` does not list, and each
 * line of `path` that is wrong by now. A line is "permission kind… # reason". */
void asked_compare(const char *path, int *passes, int *failures);
