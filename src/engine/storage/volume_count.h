/* SPDX-License-Identifier: Apache-2.0
 * How many disks an instance has: apart from volume.h, which needs images. */
#pragma once

enum { INSTANCE_VOLUMES_MAX = 26 };
