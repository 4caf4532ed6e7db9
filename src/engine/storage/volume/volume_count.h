/* SPDX-License-Identifier: Apache-2.0
 * The limit of disks of an instance, for files that need nothing else of volume.h. */
#pragma once

enum { INSTANCE_VOLUMES_MAX = 26 };
