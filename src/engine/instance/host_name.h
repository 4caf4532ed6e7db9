/* SPDX-License-Identifier: Apache-2.0
 * Host name that an instance of OpenStack learns from its metadata. */
#pragma once

#include "base/ip.h"
#include "base/str.h"

struct arena;
struct instance;

/* Returns the instance's name reduced to letters, digits and dashes, 63 at most. If nothing is left, returns EC2's name
 * (ip-10-0-0-4), made of the primary address `first`, or of the id if there is no address. In the arena. */
struct str engine_make_host_name(struct arena *a, const struct instance *instance, struct ip first);
