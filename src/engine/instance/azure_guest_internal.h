/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of Azure's side of instances. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "model/azure_guest.h"
#include "model/instance.h"

struct image;

/* The instance is gone, or another account's: what Azure knew of it is forgotten. */
RESULT azure_guest_leave_instance(struct op *op, uuid instance);
/* The instance's row as it is, or as it begins. */
struct azure_guest azure_guest_begin(const struct op *op, const struct instance *instance);
/* Whether an instance of that image (NULL: not known) gets a provisioning disc: no service of Azure's tells a password, and Windows
 * reads there what to make of itself. */
bool azure_guest_needs_disc(enum instance_personality personality, const struct image *image,
			    struct str password);
