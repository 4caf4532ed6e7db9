/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: a regular expression in PCRE2's syntax, without alternatives. A pattern belongs to one
 * thread; it lies in the arena that it was made in. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct os_pattern;
/* Compiles a regular expression; the text must outlive the pattern. NULL: invalid, too large, or out of memory. */
struct os_pattern *os_pattern_new(struct arena *a, struct str text);
/* True if PCRE2 compiles the text, in which alternatives are permitted, to code of a moderate size. */
bool os_pattern_is_valid(struct arena *a, struct str text);
/* True if the pattern matches anywhere in the text. A search that exceeds its limit of steps finds nothing. */
bool os_pattern_is_found(const struct os_pattern *p, struct str text);
