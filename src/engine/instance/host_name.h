/* SPDX-License-Identifier: Apache-2.0
 * Host name that an instance of OpenStack learns from its metadata. */
#pragma once

#include "base/ip.h"
#include "base/str.h"

struct arena;
struct instance;

/* Reduces the instance's name to at most 63 lower-case letters, digits and dashes. If none is left, makes EC2's host name from
 * `first`, the primary IPv4 address, or from the instance's id. The text is in the arena. */
struct str engine_make_host_name(struct arena *a, const struct instance *instance, struct ip first);
