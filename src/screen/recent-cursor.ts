/** How `past.*` looks at recent events: one after the other. */
import type { EntityKey } from "../domain/entity.ts";
import type { Purpose, Rail } from "../domain/tx.ts";
import type { PastEvent } from "../rules/plan.ts";
import type { RecentEvents } from "./recent-events.ts";

/** One of the events after the other, as `past.*` asks of it: an object for all. */
export class RecentCursor implements PastEvent {
  recent: RecentEvents;
  i = 0;

  constructor(recent: RecentEvents) {
    this.recent = recent;
  }

  get time(): number {
    return this.recent.timeAt(this.i);
  }

  get incoming(): boolean {
    return this.recent.isIncoming(this.i);
  }

  get amount(): number {
    return this.recent.amountAt(this.i);
  }

  get other(): EntityKey {
    return this.recent.otherAt(this.i);
  }

  get rail(): Rail {
    return this.recent.railAt(this.i);
  }

  get purpose(): Purpose | undefined {
    return this.recent.purposeAt(this.i);
  }
}
