import { gateFetch } from "./gate.js";

const list = document.getElementById("orders");
const form = document.getElementById("new-order");
const message = document.getElementById("message");

function show(order) {
  const entry = document.createElement("li");
  entry.textContent = `${order.item} (${order.by})`;
  list.append(entry);
}

async function attempt(work) {
  message.textContent = "";
  try {
    await work();
  } catch (error) {
    message.textContent = error.message;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const body = JSON.stringify({ item: form.elements.item.value });
    const headers = { "Content-Type": "application/json" };
    show(await gateFetch("/api/orders", { method: "POST", headers, body }));
    form.reset();
  });
});

attempt(async () => {
  const { orders } = await gateFetch("/api/orders");
  orders.forEach(show);
});
