/* SPDX-License-Identifier: Apache-2.0
 * Bytes that each account may write on a day of UTC into files of flow logs and access logs, which are in the operator's bucket. The
 * maximum decides when a file begins: the last one may exceed it. Counts are in memory, and a process that starts counts from zero. Any thread. */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "base/uuid.h"

struct log_share;

struct log_share *log_share_new(int64_t day_max); /* bytes; 0: no maximum. NULL: out of memory */
void log_share_free(struct log_share *s);         /* ignores NULL */
/* False: the account has used up the day's bytes. */
bool log_share_has_room(struct log_share *s, uuid account, int64_t now_us);
/* Counts a file. Without memory for an account's count, it is not counted. */
void log_share_add(struct log_share *s, uuid account, size_t bytes, int64_t now_us);
/* Says that the day's bytes are used up, and until when. */
struct str log_share_problem(const struct log_share *s, struct arena *a, int64_t now_us);
