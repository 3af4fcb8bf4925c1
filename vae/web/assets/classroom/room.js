// A room on the page: the teacher's commands and the class's votes, without a run of the page.
import { button, element } from "./elements.js";
import { answered, bars, moves, pause, told, toStudent } from "./rooms.js";
import { share } from "./share.js";

const OVER = "This room is over: its teacher closed it, or the server was restarted.";
const SILENT = "The server does not answer. Trying again. If it has to be restarted, this room is gone.";
const KEPT = "vae-vote";

// What this browser chose last, in this tab alone: the room itself does not know it.
function remember(vote) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(vote));
  } catch {
    // Then it is known until the page is left.
  }
}

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

class Panel {
  constructor(root, data, address) {
    Object.assign(this, { root, data, address, closed: false, room: null, drawn: "", timer: 0, followed: "", vote: recall() });
    this.status = element("p", { role: "status", class: "told" });
    this.body = element("div");
    this.visible = () => document.hidden || this.ask();
    document.addEventListener("visibilitychange", this.visible);
    this.section = element("section", { class: "room", "aria-label": "Room" }, this.body, this.status);
    // What an earlier panel shows, and what has the focus in it, stays until this one has a word.
    if (!data.code || !root.firstChild) this.draw();
    if (data.code) this.ask();
    else this.offer();
  }

  async send(path, method = "GET") {
    const response = await fetch(this.address(`room/${path}`), { method, headers: { "X-Room": this.data.ticket }, cache: "no-store" });
    const body = await response.json().catch(() => ({}));
    // Without a sentence it is not the app that answers: a proxy, while the server is started anew.
    if (!response.ok) throw Object.assign(new Error(body.message ?? SILENT), { status: body.message ? response.status : 0 });
    return body;
  }

  // Before a room is there, for who stands in front of a class.
  offer() {
    this.section.classList.add("offer");
    this.body.replaceChildren(button("Open a room", () => this.open()));
  }

  async open() {
    try {
      const { code, url } = await this.send("open", "POST");
      const here = new URL(window.location.href);
      const goal = url ? new URL(`${url}${here.pathname.slice(here.pathname.lastIndexOf("/"))}${here.search}${here.hash}`) : here;
      // Elsewhere it is opened by a second press: a browser is known by its address there.
      goal.searchParams.delete("room");
      if (code) goal.searchParams.set("room", code);
      window.location.assign(goal);
    } catch (error) {
      this.say(error instanceof TypeError ? SILENT : error.message);
    }
  }

  leave() {
    const here = new URL(window.location.href);
    here.searchParams.delete("room");
    window.location.assign(here);
  }

  async ask() {
    clearTimeout(this.timer);
    // A page that comes back into view asks at once: the answer to an older question is too old.
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const room = await this.send(this.data.code);
      if (turn === this.turn) this.show(room);
    } catch (error) {
      if (this.closed || turn !== this.turn) return;
      if (error.status === 404) return this.end(OVER);
      if (error.status) return this.end(error.message);
      this.say(SILENT);
    }
    if (this.closed || turn !== this.turn) return;
    const seconds = pause({ teacher: this.room?.teacher, hidden: document.hidden });
    this.timer = setTimeout(() => this.ask(), 1000 * seconds);
  }

  async command(path) {
    this.turn = (this.turn ?? 0) + 1;
    try {
      this.show(await this.send(`${this.data.code}/${path}`, "POST"));
    } catch (error) {
      if (error.status === 404) this.end(OVER);
      else this.say(error instanceof TypeError ? SILENT : error.message);
    }
    if (!this.closed) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), 1000);
    }
  }

  end(sentence) {
    clearTimeout(this.timer);
    this.closed = true;
    const again = this.room?.teacher || this.data.offer ? [button("Open a room", () => this.open())] : [];
    // Below the sentence; a room that is gone is left by its own button, not on every further page.
    this.status.after(element("div", { class: "bar after" }, ...again, button("Leave the room", () => this.leave())));
    this.body.replaceChildren();
    this.say(sentence);
  }

  draw() {
    if (this.section.parentElement !== this.root) this.root.replaceChildren(this.section);
  }

  say(sentence) {
    this.draw();
    if (this.status.textContent !== sentence) this.status.textContent = sentence;
  }

  show(room) {
    if (this.closed) return;
    if (!room.code) return this.end("You closed the room.");
    this.room = room;
    this.follow(room);
    // Only what changed is drawn: a press must not meet a button that was just replaced.
    const { votes, ...rest } = room;
    const drawn = JSON.stringify(rest);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.body.replaceChildren(...(room.teacher ? this.teacher(room) : this.student(room)));
    }
    this.say(room.teacher ? told(room) : toStudent(room));
  }

  // The class looks at the run that its teacher looks at.
  follow(room) {
    const here = new URL(window.location.href);
    const run = here.searchParams.get("run") ?? "";
    if (room.teacher) {
      if (run && run !== room.run) this.command(`follow/${encodeURIComponent(run)}`);
      return;
    }
    if (!room.run || room.run === run || room.run === this.followed) return;
    // Once: who went on to another page is not called back.
    this.followed = room.run;
    // Not all at once.
    setTimeout(() => window.location.assign(this.address(`train?run=${room.run}&room=${room.code}`)), 2000 * Math.random());
  }

  link() {
    const url = new URL(this.address(""));
    // Opened as localhost, which is another machine for whoever gets the link.
    if (this.data.host) url.host = this.data.host;
    url.searchParams.set("room", this.data.code);
    return url.href;
  }

  teacher(room) {
    const list = element("select", { "aria-label": "Question" });
    for (const [page, questions] of Object.entries(this.data.questions)) {
      const group = element("optgroup", { label: page });
      for (const [id, ask] of questions) group.append(element("option", { value: id, text: ask }));
      list.append(group);
    }
    if (room.question) list.value = room.question.id;
    const act = (name, label) => button(label, () => this.command(name), { class: "move" });
    const [copying, code] = share(() => this.link(), this.address, { label: "Copy the room's link", unfolded: room.phase === "idle" });
    return [
      element("div", { class: "bar" }, element("span", { class: "code", text: `Room ${room.code}` }), copying, act("end", "Close the room"), code),
      element("div", { class: "bar" }, list, button("Ask the room", () => this.command(`ask/${list.value}`), { class: "move" }), ...moves(room).map(([name, label]) => act(name, label))),
      room.question ? element("p", { class: "asked", text: room.question.ask }) : null,
      ...this.results(room),
      room.advice ? element("p", { class: "advice", text: room.advice }) : null,
    ].filter(Boolean);
  }

  student(room) {
    if (!room.question) return [element("span", { class: "code", text: `Room ${room.code}` })];
    const asked = element("p", { class: "asked", text: room.question.ask });
    if (room.counts.length) return [asked, ...this.results(room)];
    const open = room.phase === "open" && !room.voted;
    const mine = this.mine(room);
    const choices = room.question.choices.map((text, index) =>
      button(text, () => this.choose(room, index), { disabled: !open, "aria-pressed": room.voted ? String(index === mine) : null }),
    );
    return [asked, element("div", { class: "choices votes", role: "group", "aria-label": room.question.ask }, ...choices)];
  }

  choose(room, choice) {
    this.vote = { code: room.code, question: room.question.id, choice };
    remember(this.vote);
    this.command(`vote/${room.round}/${choice}`);
  }

  // This browser's own choice, where it has voted on the question.
  mine(room) {
    const { code, question, choice } = this.vote;
    return code === room.code && question === room.question.id ? choice : undefined;
  }

  results(room) {
    if (!room.counts.length) return [];
    const many = room.counts.length > 1;
    const mine = room.teacher ? undefined : this.mine(room);
    const rows = bars(room).map((row, index) =>
      element(
        "li",
        { class: row.right ? "right" : null },
        element("span", { class: "choice", text: `${row.right ? "✓ " : ""}${row.text}${index === mine ? " (yours)" : ""}` }),
        ...row.rounds.map(({ share, text }, at) =>
          element("span", { class: "round" }, element("span", { class: "width", "aria-hidden": "true", style: `width: ${100 * share}%` }), element("span", { text: many ? `${at ? "then" : "first"} ${text}` : text })),
        ),
      ),
    );
    const list = element("ul", { class: "bars", "aria-label": "Votes" }, ...rows);
    const { replies, path } = room.question;
    if (!replies) return [list];
    return [list, element("p", { class: "why" }, `${answered(room, mine)} `, element("a", { href: this.address(this.keep(path)), text: "See it on the page" }))];
  }

  keep(path) {
    const [page, hash] = path.split("#");
    const join = page.includes("?") ? "&" : "?";
    return `${page}${join}room=${this.data.code}${hash ? `#${hash}` : ""}`;
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.visible);
  }
}

export function mount(root, data, address) {
  const panel = new Panel(root, data, address);
  return () => panel.close();
}
