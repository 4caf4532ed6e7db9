/* SPDX-License-Identifier: Apache-2.0
 * Which firmware starts an instance. An image uses the same words for the instances that are
 * launched from it. Pure. */
#pragma once

#include "model/image.h"
#include "model/instance.h"

/* Whether UEFI starts the instance. Every guest here can be started by UEFI, so it is used wherever
 * the mode prefers it. */
static inline bool model_is_uefi(enum instance_boot_mode mode)
{
	return mode == INSTANCE_BOOT_MODE_UEFI || mode == INSTANCE_BOOT_MODE_UEFI_PREFERRED;
}

static inline bool model_image_is_uefi(enum image_boot_mode mode)
{
	return model_is_uefi((enum instance_boot_mode) mode);
}
