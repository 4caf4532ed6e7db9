/* SPDX-License-Identifier: Apache-2.0
 * Instances on hosts that are not for them, which no placement may bring about. */
#pragma once

#include "cloud.h"

/* Count of instances on other accounts' dedicated hosts, or next to an instance with dedicated tenancy.
 * Prints them. */
size_t strangers_count(struct cloud *c);
