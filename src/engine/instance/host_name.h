/* SPDX-License-Identifier: Apache-2.0
 * Host name that an instance of OpenStack learns from its metadata. */
#pragma once

#include "base/ip.h"
#include "base/str.h"

struct arena;
struct instance;

/* The instance's name reduced to letters, digits and dashes, 63 at most; else EC2's name, made of `first`, the primary
 * address (none: of the id). In the arena. */
struct str engine_make_host_name(struct arena *a, const struct instance *instance, struct ip first);
