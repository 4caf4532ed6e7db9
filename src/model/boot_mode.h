/* SPDX-License-Identifier: Apache-2.0
 * Which firmware starts an instance. An image says it in the same words, for the instances launched from it. */
#pragma once

#include "model/image.h"
#include "model/instance.h"

/* Every guest here can be started by UEFI: where it is preferred it is taken. */
static inline bool model_is_uefi(enum instance_boot_mode mode)
{
	return mode == INSTANCE_BOOT_MODE_UEFI || mode == INSTANCE_BOOT_MODE_UEFI_PREFERRED;
}

static inline bool model_image_is_uefi(enum image_boot_mode mode)
{
	return model_is_uefi((enum instance_boot_mode) mode);
}
