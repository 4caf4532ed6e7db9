/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: Azure's data of instances. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "model/instance_words.h"

struct instance;
struct azure_guest;
struct image;

/* Forgets the instance's Azure data and extensions, when it ends or changes accounts. */
RESULT azure_guest_leave_instance(struct op *op, uuid instance);
/* Copy of the instance's row, or a new one. */
struct azure_guest azure_guest_begin(const struct op *op, const struct instance *instance);
/* True if an instance of the image (NULL: unknown) gets a provisioning disc: for Windows, which reads its
 * settings there, and for passwords, which Azure's metadata services do not deliver. */
bool azure_guest_needs_disc(enum instance_personality personality, const struct image *image,
			    struct str password);
