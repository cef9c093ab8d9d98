// Conversations on this device: IndexedDB, and word to other tabs when something changed.

const NAME = "primeur";
const STORE = "conversations";
const channel = new BroadcastChannel(NAME);

let opening;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

async function within(mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

// All of them, newest first.
export async function all() {
  const found = await within("readonly", (store) => store.getAll());
  return found.sort((one, other) => other.updatedMs - one.updatedMs);
}

export async function one(id) {
  return within("readonly", (store) => store.get(id));
}

export async function put(conversation, quietly = false) {
  await within("readwrite", (store) => store.put(conversation));
  if (!quietly) channel.postMessage({ changed: conversation.id });
}

export async function remove(id) {
  await within("readwrite", (store) => store.delete(id));
  channel.postMessage({ removed: id });
}

export function onElsewhere(listener) {
  channel.addEventListener("message", (event) => listener(event.data));
}
