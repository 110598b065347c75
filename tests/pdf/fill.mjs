// Fill copies of a form the way a person in Firefox does: pdf.js widgets through its annotation storage, then saveDocument.
// usage: node fill.mjs PDFJS_DIR BLANK.pdf JOBS.json ; JOBS is [{out, values: {field name: text | true | code}}]
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

// Names of a browser that pdf.js looks up when it is loaded; saving a form calls none of them.
for (const name of ["DOMMatrix", "ImageData", "Path2D"]) {
  globalThis[name] ??= class {};
}

const [folder, blank, jobs] = process.argv.slice(2);
const { getDocument } = await import(pathToFileURL(`${folder}/node_modules/pdfjs-dist/legacy/build/pdf.mjs`));
const bytes = readFileSync(blank);

for (const { out, values } of JSON.parse(readFileSync(jobs, "utf8"))) {
  const document = await getDocument({ data: new Uint8Array(bytes), verbosity: 0 }).promise;
  const fields = await document.getFieldObjects();
  const storage = document.annotationStorage;
  for (const [name, value] of Object.entries(values)) {
    for (const widget of fields[name] ?? []) {
      if (widget.type === "radiobutton") {
        storage.setValue(widget.id, { value: widget.exportValues === value });
      } else if (widget.type === "checkbox") {
        storage.setValue(widget.id, { value: value === true });
      } else if (widget.id) {
        storage.setValue(widget.id, { value });
      }
    }
  }
  writeFileSync(out, await document.saveDocument());
  await document.loadingTask.destroy();
}
