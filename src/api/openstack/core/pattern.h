/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: a regular expression in PCRE2's syntax, without alternatives. A pattern belongs to one
 * thread; it lies in the arena that it was made in. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct os_pattern;
/* The text has to outlive it. NULL: it is no regular expression, becomes too large, or memory is short. */
struct os_pattern *os_pattern_new(struct arena *a, struct str text);
/* Whether it is found anywhere in the text. A search that takes too many steps finds nothing. */
bool os_pattern_is_found(const struct os_pattern *p, struct str text);
