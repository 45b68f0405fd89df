import './base.css';
import './details.css';
import './dialogs.css';
import './around.css';
