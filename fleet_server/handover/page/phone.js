'use strict';
const at = (id) => document.getElementById(id);
const words = JSON.parse(at('words').textContent);
const say = (key, places = {}) => (words[key] || words.unknown).replace(/\{(\w+)\}/g, (_, name) => places[name]);
const api = document.body.dataset.api;
const token = location.hash.slice(1);
const PHONE = 'phone ' + token.slice(0, 6);
const LONGEST_SIDE = 2000, STILL_THERE_MS = 8000;
const ENDED = ['slip_gone', 'slip_used', 'other_phone', 'no_token'];
let phone = sessionStorage.getItem(PHONE) || '', slip = null, photos = [], ends = 0, beat = 0, ticking = 0;

async function ask(method, path, body, type) {
  const headers = { Authorization: 'Bearer ' + token, 'X-Phone': phone };
  if (type) headers['Content-Type'] = type;
  let answer;
  try {
    answer = await fetch(api + path, { method, headers, body, cache: 'no-store' });
  } catch {
    throw { code: 'offline' };
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw { code: answer.status === 413 ? 'too_large' : problem.code in words ? problem.code : 'unknown' };
}

function tell(title, text, kind = '', again = false) {
  at('form').hidden = true;
  at('notice').hidden = false;
  at('notice').className = 'notice ' + kind;
  at('notice-title').hidden = !title;
  at('notice-title').textContent = title;
  at('notice-text').textContent = text;
  at('again').hidden = !again;
}

function end(code) {
  clearInterval(beat);
  clearInterval(ticking);
  photos.forEach((photo) => URL.revokeObjectURL(photo.address));
  photos = [];
  at('text').value = '';
  tell(say('ended_title'), say(code), 'bad');
}

async function open() {
  if (!token) return end('no_token');
  try {
    slip = await ask('POST', '');
  } catch (failure) {
    if (ENDED.includes(failure.code)) return end(failure.code);
    return tell(say('failure_title'), say(failure.code), 'bad', true);
  }
  phone = slip.phone;
  sessionStorage.setItem(PHONE, phone);
  const language = document.documentElement.lang;
  at('heading').textContent = say('heading_to', { material: slip.material[language] });
  at('where').textContent = slip.site ? say('where', { site: slip.site }) : '';
  at('photos').hidden = !slip.photos;
  at('words-part').hidden = !slip.text;
  at('text').maxLength = slip.text;
  at('notice').hidden = true;
  at('form').hidden = false;
  ends = Date.now() + slip.seconds_left * 1000;
  clearInterval(beat);
  clearInterval(ticking);
  beat = setInterval(stillThere, STILL_THERE_MS);
  ticking = setInterval(tick, 1000);
  tick();
  draw();
}

async function stillThere() {
  try {
    await ask('POST', '');
  } catch (failure) {
    if (ENDED.includes(failure.code) && !at('form').hidden) end(failure.code);
  }
}

function tick() {
  const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
  at('left').textContent = say('left', { time: Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0') });
  if (!left) end('slip_gone');
}

function draw() {
  at('shown').replaceChildren(...photos.map((photo) => {
    const figure = document.createElement('figure');
    const image = document.createElement('img');
    image.src = photo.address;
    image.alt = '';
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.textContent = say('remove');
    remove.onclick = () => {
      URL.revokeObjectURL(photo.address);
      photos = photos.filter((each) => each !== photo);
      draw();
    };
    figure.append(image);
    if (photo.wrong) {
      const wrong = document.createElement('p');
      wrong.textContent = say(photo.wrong);
      figure.className = 'bad';
      figure.append(wrong);
    }
    figure.append(remove);
    return figure;
  }));
  const left = slip.photos - photos.length;
  at('add').hidden = left <= 0;
  at('photo-note').textContent = left > 0 ? say('photo_left', { count: left }) : say('photo_none_left');
  const written = [...at('text').value].length;
  at('count').textContent = say('count', { count: written, most: slip.text });
  at('send').disabled = !(photos.length || at('text').value.trim()) || photos.some((photo) => photo.wrong);
}

async function smaller(file) {
  try {
    const picture = await createImageBitmap(file);
    const share = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(picture.width * share));
    canvas.height = Math.max(1, Math.round(picture.height * share));
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await new Promise((done) => canvas.toBlob((blob) => done(blob || file), 'image/jpeg', 0.88));
  } catch {
    return file;
  }
}

at('file').onchange = async () => {
  const chosen = [...at('file').files].slice(0, slip.photos - photos.length);
  at('file').value = '';
  for (const file of chosen) {
    const content = await smaller(file);
    photos.push({ content, address: URL.createObjectURL(content), wrong: '' });
  }
  at('wrong').hidden = true;
  draw();
};

at('text').oninput = draw;
at('again').onclick = open;

at('form').onsubmit = async (event) => {
  event.preventDefault();
  at('send').disabled = true;
  at('send').textContent = say('sending');
  at('wrong').hidden = true;
  let now = null;
  try {
    for (const [place, photo] of photos.entries()) {
      now = photo;
      await ask('PUT', '/photos/' + place, photo.content, 'application/octet-stream');
    }
    now = null;
    await ask('POST', '/sent', JSON.stringify({ photos: photos.length, text: at('text').value }), 'application/json');
    clearInterval(beat);
    clearInterval(ticking);
    photos = [];
    at('text').value = '';
    sessionStorage.removeItem(PHONE);
    tell(say('sent_title'), say('sent'), 'good');
  } catch (failure) {
    if (ENDED.includes(failure.code)) return end(failure.code);
    if (now && ['not_a_picture', 'broken_picture', 'too_many_pixels', 'too_large'].includes(failure.code)) now.wrong = failure.code;
    at('wrong').textContent = say(failure.code);
    at('wrong').hidden = false;
    draw();
  } finally {
    at('send').textContent = say('send');
  }
};

for (const link of document.querySelectorAll('nav a')) {
  link.onclick = (event) => {
    event.preventDefault();
    location.href = link.getAttribute('href') + location.hash;
  };
}

open();
