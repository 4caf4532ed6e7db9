/* SPDX-License-Identifier: Apache-2.0
 * What operations ask about other services' messages (engine/messaging/service_sender.h). The store keeps the pointer alone. */
#pragma once

#include "store/store.h"

struct service_judge;

/* NULL: none. The judge outlives the store: the last changes ask it. Any thread. */
void store_set_judge(struct store *s, struct service_judge *judge);
struct service_judge *store_get_judge(struct store *s);
